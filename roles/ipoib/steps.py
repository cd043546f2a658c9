"""Short steps of the role, each one operation or two; their order is in deploy.py."""

from __future__ import annotations

from typing import cast

from pyinfra.context import host

from gpufleet.errors import HostError
from gpufleet.network import managers
from gpufleet.operations import files, ib_interfaces, kernel, nvidia
from roles.ipoib.options import Ipoib

MODULE = "ib_ipoib"
AT_BOOT = "etc/modules-load.d/gpufleet-ipoib.conf"


def refuse_without_manager() -> None:
    """Refuse a host of whose network manager nothing is known."""
    error = HostError(
        f"{host.name}: ipoib.manager",
        expected=f"one of {', '.join(managers.NAMES)} in use",
        found="none of them",
        cure="name the one that shall be told: ipoib.manager",
    )
    nvidia.refused(name="Refuse a host without a network manager", errors=[error])


def load_module() -> None:
    """Load the module that makes the interfaces, now and at every boot."""
    files.rendered(path=AT_BOOT, name="List the module of IPoIB to load at boot")
    kernel.modules_loaded(modules=[MODULE], name="Load the module of IPoIB")


def configure(options: Ipoib, manager: str) -> None:
    """Tell the network manager, and put in force what differs."""
    ib_interfaces.configured(
        links=options.links(), manager=cast(managers.Name, manager), name=f"Configure IPoIB through {manager}"
    )
