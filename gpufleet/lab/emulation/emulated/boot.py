"""The boot of a lab host's hardware: kernel, bus, firmware tables and processors, then coldplug."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

from . import efi, fault, kmsg, mounts, paths, pci


def main() -> int:
    """Put everything in place once; a second start of the unit in one boot changes nothing."""
    if (paths.STATE / "kernel").exists():
        return 0
    profile = paths.configured("profile.json")
    paths.STATE.mkdir(parents=True, exist_ok=True)
    mounts.cover(paths.MODULES)
    mounts.cover(paths.DEVICES.parent)
    mounts.cover(paths.DRIVER_PROC.parent)
    boot_kernel(newest_kernel(paths.ROOT / "boot"))
    for folder in (paths.DEVICES, paths.DRIVERS):
        folder.mkdir(parents=True, exist_ok=True)
    pci.write_tree(pci.devices(profile) if profile else [])
    firmware(profile.get("dmi", {}))
    processors(str(profile.get("governor", "")))
    efi.at_boot(secure=bool(profile.get("secure_boot")) or "secure-boot" in paths.configured("faults.json"))
    fault.apply_at_boot()
    coldplug()
    return 0


def _natural(path: Path) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", path.name)]


def newest_kernel(boot: Path) -> Path | None:
    """The kernel image that a boot loader would start by default."""
    return max(boot.glob("vmlinuz-*"), key=_natural, default=None)


def banner(image: Path) -> str:
    """The version text in the header of a kernel image: `6.1.0-50-amd64 (builder) #1 SMP ... Debian 6.1.1-1 (date)`."""
    content = image.read_bytes()[:0x10000]
    start = int.from_bytes(content[0x20E:0x210], "little") + 0x200
    return content[start : content.index(b"\0", start)].decode(errors="replace")


def boot_kernel(image: Path | None) -> None:
    """Make the newest installed kernel the running one; without any, the real one stays."""
    if image is None:
        return
    release, text = image.name.removeprefix("vmlinuz-"), banner(image)
    version = text[text.find("#") :] if "#" in text else ""
    # A kernel that was given another name says the old one in its header.
    builder = text.removesuffix(version).partition(" ")[2]
    proc_version = f"Linux version {release} {builder}{version}" if builder else f"Linux version {release}"
    paths.put(paths.STATE / "kernel-version", version[:64])
    paths.put(paths.STATE / "modules", "")
    mounts.replace(paths.PROC / "version", proc_version)
    mounts.replace(paths.PROC / "sys/kernel/osrelease", release)
    # Last, because from here on programs see this kernel.
    paths.put(paths.STATE / "kernel", release)
    kmsg.log(proc_version)


def firmware(strings: dict[str, Any]) -> None:
    """Write the DMI strings that the firmware of this machine would hand to the kernel."""
    if not strings:
        return
    mounts.cover(paths.ROOT / "sys/class/dmi/id")
    for name, value in strings.items():
        secret = name.endswith(("_serial", "_uuid"))
        paths.put(paths.ROOT / "sys/class/dmi/id" / name, value, 0o400 if secret else 0o444)
    kmsg.log("DMI: {sys_vendor} {product_name}/{board_name}, BIOS {bios_version} {bios_date}".format(**strings))


def processors(governor: str) -> None:
    """Give every processor a frequency governor of its own, which takes writes that never reach the real one."""
    if not governor:
        return
    cpus = paths.ROOT / "sys/devices/system/cpu"
    mounts.overlay(cpus)
    for cpu in cpus.glob("cpu[0-9]*"):
        if (cpu / "cpufreq").is_symlink():
            (cpu / "cpufreq").unlink()
        paths.put(cpu / "cpufreq/scaling_governor", governor, 0o644)
        paths.put(cpu / "cpufreq/scaling_available_governors", "performance powersave")
        paths.put(cpu / "cpufreq/scaling_driver", "intel_pstate")


def coldplug() -> None:
    """Load what modules.alias names for the devices on the bus, blacklists respected, as udev does."""
    aliases = sorted({paths.text(folder / "modalias") for folder in pci.folders()})
    if aliases:
        subprocess.run(["modprobe", "--all", "--use-blacklist", "--quiet", *aliases], check=False)
