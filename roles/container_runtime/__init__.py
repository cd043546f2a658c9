"""containerd: what runs the pods of a Kubernetes node."""
