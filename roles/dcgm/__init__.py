"""NVIDIA's Data Center GPU Manager on the host."""
