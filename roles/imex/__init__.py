"""NVIDIA's IMEX daemon, which shares GPU memory between the hosts of one NVLink domain."""
