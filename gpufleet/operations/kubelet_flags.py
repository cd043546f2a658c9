"""Flags that kubeadm gave to the kubelet at the join: those that the wanted kubelet knows."""

from __future__ import annotations

from collections.abc import Generator
from io import StringIO
from typing import Any

from pyinfra.api.operation import operation
from pyinfra.context import host
from pyinfra.operations import files

from gpufleet.facts.kubelet_flags import FLAGS, KubeadmFlags
from gpufleet.kubernetes.flags import known

Commands = Generator[Any, None, None]


@operation()
def are_known(version: str) -> Commands:
    """
    Take the flags that a kubelet of this version no longer knows out of kubeadm's file; all others stay.

    + version: version of the kubelet

    **Example:**

    .. code:: python

        kubelet_flags.are_known(name="Drop flags that the kubelet no longer has", version="1.36.3")
    """
    found: str = host.get_fact(KubeadmFlags)
    wanted = known(found, version)
    # Want these flags alone and have them?
    if found == wanted:
        host.noop(f"{FLAGS} has no flag that is gone")
        return
    yield from files.put._inner(src=StringIO(wanted), dest=FLAGS, mode="644", user="root", group="root")
