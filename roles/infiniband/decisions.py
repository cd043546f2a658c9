"""What the role decides by itself: names by PCI order, bits of PCI Express, arguments of the kernel. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from gpufleet.operations.pcie import Register
from gpufleet.stack.machine import Hardware
from roles.infiniband.options import Infiniband, Port

_PASSTHROUGH = {"aarch64": ("iommu.passthrough=1",)}
_OFF = {"aarch64": ("iommu.passthrough=1",)}


def device_names(options: Infiniband, adapters: Iterable[str]) -> dict[str, str]:
    """Return the names of RDMA devices by PCI address; none where names stay as they are."""
    if isinstance(options.names, dict):
        return dict(sorted(options.names.items()))
    if options.names == "untouched":
        return {}
    return {address: f"mlx5_{index}" for index, address in enumerate(sorted(adapters))}


def rule_match(options: Infiniband) -> str:
    """Return what else a device must match to be named: bonds, whose names say what they are, keep them."""
    return 'KERNEL=="mlx5_[0-9]*", ' if options.names == "auto" else ""


def registers(options: Infiniband) -> dict[str, Register]:
    """Return the bits of Device Control by kind of device."""
    found = {kind: Register.of(row.max_read_request, row.relaxed_ordering) for kind, row in options.pcie.items()}
    return {kind: register for kind, register in sorted(found.items()) if register.mask}


def acs_off(options: Infiniband, hardware: Hardware) -> bool:
    """Tell whether ACS is to be off: between GPUs and adapters, on machines whose bridges are their own."""
    return options.acs == "off" and bool(hardware.gpus) and hardware.platform == "bare-metal"


def kernel_arguments(options: Infiniband, arch: str) -> list[str]:
    """Return the arguments of the kernel. ARM has no way to switch the IOMMU off, but to let devices pass it."""
    words: tuple[str, ...] = ()
    if options.iommu == "passthrough":
        words = _PASSTHROUGH.get(arch, ("iommu=pt",))
    elif options.iommu == "off":
        words = _OFF.get(arch, ("intel_iommu=off", "amd_iommu=off"))
    return [*words, *(word for word in options.kernel_arguments if word not in words)]


def expected_port(options: Infiniband, device: str) -> Port | None:
    """Return what a device's port is to be, None where nothing is declared."""
    return options.ports.get(device) or options.ports.get("all")
