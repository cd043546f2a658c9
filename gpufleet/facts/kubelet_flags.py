"""Flags that kubeadm gave to the kubelet at the join."""

from __future__ import annotations

from pyinfra.api.facts import FactBase
from typing_extensions import override

from gpufleet.facts.kubelet import DIRECTORY

#: The service reads it as an environment; kubeadm wrote it at the join, and writes it at no other time.
FLAGS = f"{DIRECTORY}/kubeadm-flags.env"


class KubeadmFlags(FactBase[str]):
    """Text of the file with kubeadm's flags; empty where there is none."""

    default = str

    @override
    def command(self) -> str:
        """Print the file."""
        return f"cat {FLAGS} 2>/dev/null; true"

    @override
    def process(self, output: list[str]) -> str:
        """Put the lines together, `KUBELET_KUBEADM_ARGS="--hostname-override=gpu-07"` among them."""
        return "".join(f"{line}\n" for line in output)
