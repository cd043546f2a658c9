"""Hardware faults of a lab host: kept in faults.json, so that they outlive a reboot, as broken hardware does."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

from . import efi, gpus, kmsg, paths, pci

JOB_UNIT = "gpufleet-lab-train-job"
_FELL_OFF = 79
_XID_TEXTS = {
    31: "pid=4711, name=train-job, Ch 00000008, intr 00000000. MMU Fault: ENGINE GRAPHICS GPCCLIENT_T1_0 faulted",
    48: "pid=4711, name=train-job, An uncorrectable double bit error (DBE) has been detected on GPU.",
    63: "Row Remapper: New row (0x0000000000000000) marked for remapping, reset gpu to activate.",
    74: "pid='<unknown>', name=<unknown>, NVLink: fatal error detected on link 0(0x10000, 0x0, 0x0)",
    _FELL_OFF: "pid='<unknown>', name=<unknown>, GPU has fallen off the bus.",
    94: "pid=4711, name=train-job, Contained: SM (0x1). RST: No, D-RST: No",
    95: "pid='<unknown>', name=<unknown>, Uncontained: DRAM (0x0,0x0). RST: Yes, D-RST: No",
    119: "pid=4711, name=train-job, Timeout after 6s of waiting for RPC response from GPU0 GSP! Expected function 76.",
}


def save(faults: dict[str, Any]) -> None:
    """Write faults.json."""
    paths.put(paths.CONFIGURATION / "faults.json", paths.dump_json(faults), 0o644)


def log_xid(number: int, index: int) -> None:
    """Write the kernel's line of one Xid error."""
    address = gpus.installed()[index].address
    text = _XID_TEXTS.get(number, "pid=4711, name=train-job")
    kmsg.log(f"NVRM: Xid (PCI:{address.rpartition('.')[0]}): {number}, {text}")


def lose(index: int) -> None:
    """Take a GPU off the bus: its configuration space reads as all ones."""
    address = gpus.installed()[index].address
    pci.write_config(address, b"\xff" * 256)
    paths.put(paths.DEVICES / address / "revision", "0xff")
    log_xid(_FELL_OFF, index)
    kmsg.log(f"NVRM: GPU {address}: GPU has fallen off the bus.")
    kmsg.log(f"NVRM: GPU {address}: GPU serial number is {gpus.installed()[index].serial}.")


def find(index: int) -> None:
    """Put a lost GPU back on the bus."""
    address = gpus.installed()[index].address
    device = next(one for one in pci.devices(paths.configured("profile.json")) if one.address == address)
    pci.write_config(address, pci.config_space(device))
    paths.put(paths.DEVICES / address / "revision", f"{device.revision:#04x}")


def apply_at_boot() -> None:
    """Bring back what a broken GPU does at every boot; Xid lines of the last boot are gone with its log."""
    faults = paths.configured("faults.json")
    if "gpu-lost" in faults and int(faults["gpu-lost"]) < len(gpus.installed()):
        lose(int(faults["gpu-lost"]))
    if faults.pop("xid", None) is not None:
        save(faults)


def _gpu_lost(index: int, clear: bool, faults: dict[str, Any]) -> None:
    if not clear and faults.get("gpu-lost") == index:
        return
    if "gpu-lost" in faults:
        find(int(faults.pop("gpu-lost")))
    if not clear:
        faults["gpu-lost"] = index
        lose(index)


def _xid(number: int, clear: bool, faults: dict[str, Any]) -> None:
    if clear:
        faults.pop("xid", None)
        kept = [line for line in paths.text(kmsg.LOG).splitlines() if "NVRM: Xid" not in line]
        paths.put(kmsg.LOG, "\n".join(kept), 0o644)
        return
    faults["xid"] = [*faults.get("xid", []), [number, 0]]
    log_xid(number, 0)


def _flag(kind: str, xid: int) -> Callable[[int, bool, dict[str, Any]], None]:
    def change(index: int, clear: bool, faults: dict[str, Any]) -> None:
        if clear:
            faults.pop(kind, None)
        elif faults.get(kind) != index:
            faults[kind] = index
            log_xid(xid, index)

    return change


def _module_in_use(_: int, clear: bool, __: dict[str, Any]) -> None:
    if clear:
        subprocess.run(["systemctl", "stop", JOB_UNIT], check=False, capture_output=True)
        return
    if not (paths.DEV / "nvidia0").exists():
        raise ValueError("no NVIDIA module is loaded, so nothing can hold it; load it first with `modprobe nvidia`")
    if subprocess.run(["systemctl", "is-active", "--quiet", JOB_UNIT], check=False).returncode:
        program = "/usr/lib/gpufleet-lab/train-job"
        subprocess.run(["systemd-run", "--quiet", "--property=Type=notify", f"--unit={JOB_UNIT}", program], check=True)


def _secure_boot(_: int, clear: bool, faults: dict[str, Any]) -> None:
    efi.set_secure_boot(not clear)
    _switch("secure-boot", clear, faults)


def _switch(kind: str, clear: bool, faults: dict[str, Any]) -> None:
    if clear:
        faults.pop(kind, None)
    else:
        faults[kind] = 1


_KINDS: dict[str, tuple[int, Callable[[int, bool, dict[str, Any]], None]]] = {
    "gpu-lost": (0, _gpu_lost),
    "xid": (_FELL_OFF, _xid),
    "ecc-uncorrectable": (0, _flag("ecc-uncorrectable", 48)),
    "remap-pending": (0, _flag("remap-pending", 63)),
    "module-in-use": (0, _module_in_use),
    "secure-boot": (0, _secure_boot),
    "mok-unattended": (0, lambda _, clear, faults: _switch("mok-unattended", clear, faults)),
}
#: Kinds whose value is no index of a GPU.
_NO_GPU = ("xid", "secure-boot", "mok-unattended")


def _number(word: str) -> int:
    if not word.isdigit():
        raise ValueError(f"expected a whole number, found {word!r}")
    return int(word)


def main(arguments: list[str]) -> int:
    """`fault KIND [VALUE] [--clear]`: 0 when done, 2 when asked for something this host cannot have."""
    clear, words = "--clear" in arguments, [word for word in arguments if word != "--clear"]
    try:
        default, change = _KINDS[words[0]] if words else _KINDS[""]
        value = _number(words[1]) if len(words) > 1 else default
        count = len(gpus.installed())
        if words[0] not in _NO_GPU and not 0 <= value < count:
            raise ValueError(f"expected the index of one of {count} GPUs, found {value}")
        faults = paths.configured("faults.json")
        change(value, clear, faults)
        save(faults)
    except KeyError:
        print(f"fault: expected one of {', '.join(_KINDS)}, found {' '.join(words) or 'nothing'}", file=sys.stderr)  # noqa: T201 - a program
        return 2
    except (ValueError, IndexError) as error:
        print(f"fault: {words[0]}: {error}", file=sys.stderr)  # noqa: T201 - a program
        return 2
    return 0
