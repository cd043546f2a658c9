"""The loaded modules of a lab host: /sys/module kept true to the files that were loaded."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path

from . import elf, kmsg, nvidia, paths, pci, signature

_IGNORE_VERMAGIC = 2
_ARGUMENT = re.compile(r'([^\s=]+)(?:=("[^"]*"|\S*))?')
_FREE_LICENSES = ("GPL", "Dual MIT/GPL", "Dual BSD/GPL", "GPL v2", "Dual MPL/GPL", "GPL and additional rights")


def running_kernel() -> str:
    """Release of the emulated kernel."""
    return paths.text(paths.STATE / "kernel") or os.uname().release


def load(path: Path, arguments: str, flags: int = 0) -> int:
    """Load a module file; the number of the error, or 0."""
    module = elf.read(path)
    if module is None:
        return errno.ENOEXEC
    if (paths.MODULES / module.name / "initstate").exists():
        return errno.EEXIST
    if error := signature.refusal(path) or _refusal(module, flags):
        return error
    _announce(module)
    if error := nvidia.refusal(module):
        return error
    _write(module, arguments)
    pci.bind(module.name, module.fields.get("alias", []))
    nvidia.loaded(module, _given(arguments))
    refresh()
    return 0


def _refusal(module: elf.ModuleFile, flags: int) -> int:
    vermagic, running = module.first("vermagic").strip(), running_kernel()
    if vermagic.split(" ")[0] not in _releases(module) and not flags & _IGNORE_VERMAGIC:
        own = f"{running} {' '.join(vermagic.split(' ')[1:])}"
        kmsg.log(f"{module.name}: version magic '{vermagic} ' should be '{own} '")
        return errno.ENOEXEC
    for needed in module.depends:
        if not (paths.MODULES / needed).is_dir() and needed not in _builtin():
            kmsg.log(f"{module.name}: Unknown symbol of module {needed} (err -2)")
            return errno.ENOENT
    return 0


def _releases(module: elf.ModuleFile) -> set[str]:
    """Kernels whose modules fit: the running one, and for its own modules the name it had when they were built."""
    former = paths.text(paths.ROOT / "usr/lib/gpufleet-lab-machine/kernel-built-as")
    return {running_kernel(), *([former] if former and "intree" in module.fields else [])}


def _builtin() -> set[str]:
    listing = paths.text(paths.ROOT / "lib/modules" / running_kernel() / "modules.builtin")
    return {Path(line).name.partition(".")[0].replace("-", "_") for line in listing.splitlines()}


def _taint(module: elf.ModuleFile) -> str:
    proprietary = module.first("license") not in _FREE_LICENSES
    outside = "intree" not in module.fields
    return ("P" if proprietary else "") + ("OE" if outside else "")


def _announce(module: elf.ModuleFile) -> None:
    if "O" in _taint(module) and "O" not in "".join(paths.text(path) for path in paths.MODULES.glob("*/taint")):
        kmsg.log(f"{module.name}: loading out-of-tree module taints kernel.")
    if "P" in _taint(module):
        kmsg.log(f"{module.name}: module license '{module.first('license')}' taints kernel.")


def _given(arguments: str) -> dict[str, str]:
    """Parameters from the words of modprobe.d's `options` line; a word without a value is a switch."""
    return {name: value.strip('"') if value else "1" for name, value in _ARGUMENT.findall(arguments)}


def _write(module: elf.ModuleFile, arguments: str) -> None:
    folder = paths.MODULES / module.name
    known = {"initstate": "live", "refcnt": "0", "coresize": str(module.size), "initsize": "0", "uevent": ""}
    for key in ("version", "srcversion"):
        if module.first(key):
            known[key] = module.first(key)
    for name, content in {**known, "taint": _taint(module)}.items():
        paths.put(folder / name, content)
    (folder / "holders").mkdir()
    for needed in module.depends:
        if (paths.MODULES / needed / "holders").is_dir():
            paths.link(paths.MODULES / needed / "holders" / module.name, folder)
    for name, value in _given(arguments).items():
        if name not in module.parameters:
            kmsg.log(f"{module.name}: unknown parameter '{name}' ignored")
        elif module.name != "nvidia":
            switch = {"1": "Y", "0": "N", "y": "Y", "n": "N"}.get(value, value)
            paths.put(folder / "parameters" / name, switch if module.parameters[name] == "bool" else value)


def unload(name: str) -> int:
    """Unload a module; the number of the error, or 0."""
    folder = paths.MODULES / name.replace("-", "_")
    refresh()
    if not (folder / "initstate").exists():
        return errno.ENOENT
    if paths.text(folder / "refcnt") != "0":
        return errno.EWOULDBLOCK
    for holders in paths.MODULES.glob(f"*/holders/{folder.name}"):
        holders.unlink()
    pci.unbind(folder.name)
    paths.remove_tree(folder)
    nvidia.unloaded(folder.name)
    refresh()
    return 0


def _listing(folder: Path) -> str:
    holders = "".join(f"{holder.name}," for holder in sorted((folder / "holders").iterdir()))
    taint = paths.text(folder / "taint")
    fields = [folder.name, paths.text(folder / "coresize"), paths.text(folder / "refcnt"), holders or "-", "Live"]
    return " ".join([*fields, "0x0000000000000000", *([f"({taint})"] if taint else [])])


def refresh() -> None:
    """Count the users of every module anew and rewrite what /proc/modules shows."""
    folders = sorted(path.parent for path in paths.MODULES.glob("*/initstate"))
    opened = nvidia.open_counts()
    for folder in folders:
        count = str(len(list((folder / "holders").iterdir())) + opened.get(folder.name, 0))
        if paths.text(folder / "refcnt") != count:
            paths.put(folder / "refcnt", count)
    newest_first = sorted(folders, key=lambda folder: (folder / "initstate").stat().st_mtime_ns, reverse=True)
    paths.put(paths.STATE / "modules", "\n".join(_listing(folder) for folder in newest_first))
