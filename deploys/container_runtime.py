"""containerd only, on hosts that have their operating system ready."""

from roles.container_runtime.deploy import container_runtime

container_runtime()
