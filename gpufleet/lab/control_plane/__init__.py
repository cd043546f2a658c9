"""A Kubernetes control plane for a lab: real programs, certificates and rights, and hosts that can be its nodes."""
