"""NVIDIA's container toolkit: GPUs in containers."""
