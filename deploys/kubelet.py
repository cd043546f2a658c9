"""The kubelet only, on hosts that have their container runtime."""

from roles.kubelet.deploy import kubelet

kubelet()
