"""What NVIDIA's modules leave in /proc/driver/nvidia and /dev, and who holds the devices open."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

from . import elf, gpus, kmsg, paths, pci

#: The module that a device belongs to, where it is not `nvidia` itself.
_OTHER_OWNERS = {"nvidia-uvm": "nvidia_uvm", "nvidia-uvm-tools": "nvidia_uvm", "nvidia-modeset": "nvidia_modeset"}
_NODES = {
    "nvidia_uvm": ["nvidia-uvm", "nvidia-uvm-tools"],
    "nvidia_modeset": ["nvidia-modeset"],
    "gdrdrv": ["gdrdrv"],
}
#: Made with the module where IMEX can be used; `NVreg_CreateImexChannel0=1` adds the first channel.
_IMEX = "nvidia-caps-imex-channels"
#: Capabilities, of which fabric manager's has the first number (nv-caps.c of the open module); on real hosts the node
#: comes when fabric manager first starts, and stays.
_CAPABILITIES, _FABRIC_MANAGEMENT = "nvidia-caps", "nvidia-cap0"


def refusal(module: elf.ModuleFile) -> int:
    """The error that keeps one of NVIDIA's modules from loading on this hardware, or 0."""
    if module.name == "nvidia_peermem":
        return _peermem_refusal()
    return _probe() if module.name == "nvidia" else 0


def _peermem_refusal() -> int:
    """nvidia_peermem registers with ib_core where that takes peer memory, and is refused with EINVAL everywhere else.

    OFED's ib_core takes it, and so does Ubuntu's own (LP #1923104); those of Debian and Enterprise Linux do not.
    """
    if not (paths.MODULES / "ib_core/initstate").exists():
        return errno.EINVAL
    ofed = "O" in paths.text(paths.MODULES / "ib_core/taint")
    ubuntu = "ID=ubuntu" in paths.text(paths.ROOT / "etc/os-release").splitlines()
    return 0 if ofed or ubuntu else errno.EINVAL


def _probe() -> int:
    functions = [folder for folder in pci.folders() if gpus.is_gpu(folder)]
    if not functions:
        kmsg.log("NVRM: No NVIDIA GPU found.")
        return errno.ENODEV
    taken = [(folder, pci.driver_of(folder)) for folder in functions if pci.driver_of(folder)]
    for folder, driver in taken:
        kmsg.log(f"NVRM: GPU {folder.name} is already bound to {driver}.")
    if len(taken) < len(functions):
        return 0
    kmsg.log(f"NVRM: The NVIDIA probe routine was not called for {len(functions)} device(s).")
    kmsg.log("NVRM: This can occur when another driver was loaded and")
    kmsg.log("NVRM: obtained ownership of the NVIDIA device(s).")
    kmsg.log("NVRM: No NVIDIA devices probed.")
    return errno.ENODEV


def loaded(module: elf.ModuleFile, given: dict[str, str]) -> None:
    """Write what the module makes when it starts."""
    if module.name == "nvidia":
        _proc(module, given)
        _log_start(module)
        for name in ["nvidiactl", *(f"nvidia{minor}" for minor in range(len(gpus.installed())))]:
            _node(name)
        if any(gpus.is_fabric(folder) for folder in pci.folders()):
            _node(f"{_CAPABILITIES}/{_FABRIC_MANAGEMENT}")
        if given.get("NVreg_CreateImexChannel0") == "1":
            _node(f"{_IMEX}/channel0")
    elif module.name == "nvidia_drm":
        for name in ("modeset", "fbdev"):
            path = paths.MODULES / "nvidia_drm/parameters" / name
            if name in module.parameters and not path.exists():
                paths.put(path, "N")
    for name in _NODES.get(module.name, []):
        _node(name)


def _node(name: str) -> None:
    paths.put(paths.DEV / name, "", 0o666)


def _proc(module: elf.ModuleFile, given: dict[str, str]) -> None:
    version = f"NVRM version: {module.banner}\nGCC version:  {module.compiler} "
    paths.put(paths.DRIVER_PROC / "version", version)
    lines = []
    for parameter, kind in sorted(module.parameters.items()):
        if parameter.startswith("NVreg_"):
            default = '""' if kind == "charp" else "4294967295"
            value = f'"{given[parameter]}"' if kind == "charp" and parameter in given else given.get(parameter, default)
            lines.append(f"{parameter.removeprefix('NVreg_')}: {value}")
    paths.put(paths.DRIVER_PROC / "params", "\n".join(lines))
    for gpu in gpus.installed():
        paths.put(paths.DRIVER_PROC / "gpus" / gpu.address / "information", _information(gpu, module.first("version")))


def _information(gpu: gpus.Gpu, version: str) -> str:
    rows = [
        ("Model: \t\t", gpu.name),
        ("IRQ:   \t\t", paths.text(paths.DEVICES / gpu.address / "irq")),
        ("GPU UUID: \t", gpu.uuid),
        ("Video BIOS: \t", gpu.vbios),
        ("Bus Type: \t", "PCIe"),
        ("DMA Size: \t", "52 bits"),
        ("DMA Mask: \t", "0xfffffffffffff"),
        ("Bus Location: \t", gpu.address),
        ("Device Minor: \t", str(gpu.minor)),
        ("GPU Firmware: \t", version),
        ("GPU Excluded:\t", "No"),
    ]
    return "\n".join(f"{label} {value}" for label, value in rows)


def _log_start(module: elf.ModuleFile) -> None:
    kmsg.log("nvidia-nvlink: Nvlink Core is being initialized, major device number 511")
    kmsg.log(f"NVRM: loading {module.banner}")
    for gpu in gpus.installed():
        kmsg.log(f"nvidia {gpu.address}: enabling device (0000 -> 0002)")


def unloaded(name: str) -> None:
    """Take away what the module made."""
    for node in _NODES.get(name, []):
        (paths.DEV / node).unlink(missing_ok=True)
    if name == "nvidia":
        paths.remove_tree(paths.DRIVER_PROC)
        for folder in (_IMEX, _CAPABILITIES):
            paths.remove_tree(paths.DEV / folder)
        for path in paths.DEV.glob("nvidia*"):
            path.unlink()
        kmsg.log("nvidia-nvlink: Unregistered Nvlink Core, major device number 511")


def _open_nodes() -> Iterator[str]:
    for process in paths.PROC.iterdir():
        if not process.name.isdigit():
            continue
        try:
            targets = [os.readlink(entry) for entry in (process / "fd").iterdir()]  # noqa: PTH115 - a device, or no path
        except OSError:  # The process has ended.
            continue
        yield from (Path(target).name for target in targets if target.startswith(str(paths.DEV / "nvidia")))


def open_counts() -> dict[str, int]:
    """How many times the devices of each module are held open by processes."""
    counts: dict[str, int] = {}
    for node in _open_nodes():
        owner = _OTHER_OWNERS.get(node, "nvidia")
        counts[owner] = counts.get(owner, 0) + 1
    return counts
