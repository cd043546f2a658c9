"""What the checks of the roles `cuda` and `nccl` ask a host, and how they read its answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from gpufleet.facts.alternatives import AlternativeState
from gpufleet.facts.cuda import CompilerReleases, ManagedToolkits
from gpufleet.facts.linker import Libraries
from gpufleet.facts.machine import HostMachine, Machine
from gpufleet.facts.nccl import NcclState
from gpufleet.facts.packages import HeldPackages, InstalledVersions
from gpufleet.facts.unpacked import UnpackedPackages
from gpufleet.health import Probe
from gpufleet.inventory.hosts import InventoryHost
from gpufleet.stack.host.resolved import resolved
from gpufleet.stack.nccl_settings.configuration import HOST_FILE, POD_FILE, TOPOLOGY_FILE
from gpufleet.stack.resolution import Package, Resolution
from gpufleet.stack.versions import matches
from roles.cuda.steps import COMPAT
from roles.nccl.steps import CDI

#: Sonames by which programs of each CUDA major ask for the runtime; libcuda is the driver's.
RUNTIMES = [f"libcudart.so.{major}" for major in (11, 12, 13, 14)]

SHARED = {
    "machine": Machine().command(),
    "packages": InstalledVersions().command(),
    "held": HeldPackages().command(),
}
CUDA = {
    **SHARED,
    "default": AlternativeState().command(group="cuda"),
    "compilers": CompilerReleases().command(),
    "record": ManagedToolkits().command(),
    "libraries": Libraries().command(names=[*RUNTIMES, "libcuda.so.1"]),
    "compat": f"grep -v '^#' /{COMPAT}; true",
    # Twice, as a shell within a shell reads it: nothing may be appended again.
    "path": "env -i PATH=/usr/bin:/bin sh -c 'for i in 1 2; do . /etc/profile.d/cuda.sh; done; echo \"$PATH\"'; true",
}
NCCL = {
    **SHARED,
    "nccl": NcclState().command(),
    "settings": f"grep '^NCCL_' {HOST_FILE}; true",
    "pod settings": f"grep '^NCCL_' {POD_FILE}; true",
    "topology": f"cat {TOPOLOGY_FILE} 2>/dev/null; true",
    "cdi": f"cat /{CDI} 2>/dev/null; true",
    "plugins": "ls /opt/amazon/ofi-nccl/lib*/*.so /opt/amazon/ofi-nccl/lib/*/*.so /usr/local/gib/lib64/*.so "
    "/usr/local/tcpx/lib64/*.so /var/lib/tcpx/lib64/*.so /var/lib/tcpxo/lib64/*.so 2>/dev/null; true",
    "unpacked": UnpackedPackages().command(),
    "libraries": Libraries().command(names=["libnccl.so.2"]),
    "tests": "ls /opt/*/*_perf 2>/dev/null; true",
}


class Record:
    """The inventory's record of a host, asked for as options are: `declared(Record)`."""

    @staticmethod
    def of(host: InventoryHost) -> InventoryHost:
        """Take it whole."""
        return host


def machine(probe: Probe) -> HostMachine:
    """Return what the host says it is."""
    return Machine().process(probe["machine"].lines)


def resolution(probe: Probe, declared: Callable[[Any], Any]) -> Resolution:
    """Return what the inventory asks for on this machine; what does not fit installs nothing."""
    record: InventoryHost = declared(Record)
    return resolved(record, machine(probe), record.folder)


def wrong_versions(probe: Probe, packages: Iterable[Package]) -> dict[str, str]:
    """Return what is installed of packages that should be there at another version, an empty text for nothing."""
    installed = InstalledVersions().process(probe["packages"].lines)
    return {
        package.name: installed.get(package.name, "")
        for package in packages
        if not (
            package.name in installed and (not package.version or matches(package.version, installed[package.name]))
        )
    }


def not_held(probe: Probe, packages: Iterable[Package]) -> list[str]:
    """Return the packages that an upgrade would move."""
    held = HeldPackages().process(probe["held"].lines)
    return [package.name for package in packages if package.name not in held]


def specs(packages: Iterable[Package]) -> str:
    """Write packages as an operator does: `libnccl2=2.28.3-1+cuda13.0`."""
    return ", ".join(f"{package.name}={package.version}" if package.version else package.name for package in packages)
