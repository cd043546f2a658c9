"""NVIDIA driver: kernel module, userspace and persistence daemon at one exact version."""
