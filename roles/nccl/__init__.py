"""NCCL: its library, its settings, and their way into pods."""
