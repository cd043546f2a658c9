"""Kubernetes on the host: kubelet, its membership in a cluster, and what both need of the system."""
