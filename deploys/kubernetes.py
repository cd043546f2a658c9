"""From GPU host to GPU node: what a host needs to be one, and its membership in the cluster."""

from roles.container_runtime.deploy import container_runtime
from roles.container_toolkit.deploy import container_toolkit
from roles.kubelet.deploy import kubelet, kubelet_beforehand

kubelet_beforehand()
container_runtime()
container_toolkit()
kubelet()
