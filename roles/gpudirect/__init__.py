"""Network adapters and programs that reach GPU memory directly: peer memory, DMA-BUF and GDRCopy."""
