"""NVIDIA's container toolkit only, on hosts that have driver and containerd ready."""

from roles.container_toolkit.deploy import container_toolkit

container_toolkit()
