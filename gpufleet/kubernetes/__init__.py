"""Kubernetes as far as a node is concerned: what is decided about it, and the client of its API server."""
