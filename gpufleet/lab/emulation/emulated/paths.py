"""Where a lab host keeps its emulated parts, and how they are read and written."""

from __future__ import annotations

import ast
import os
from pathlib import Path
from typing import Any

#: `/`, or a folder in its place when the programs are tried outside a lab host.
ROOT = Path(os.environ.get("GPUFLEET_LAB_ROOT", "/"))

DEVICES = ROOT / "sys/bus/pci/devices"
DRIVERS = ROOT / "sys/bus/pci/drivers"
MODULES = ROOT / "sys/module"
DRIVER_PROC = ROOT / "proc/driver/nvidia"
DEV = ROOT / "dev"
PROC = ROOT / "proc"

#: Given by the lab for each host: profile.json and faults.json. Survives a reboot.
CONFIGURATION = ROOT / "etc/gpufleet-lab"
#: Written at boot and lost at the next.
STATE = ROOT / "run/gpufleet-lab"


def text(path: Path, default: str = "") -> str:
    """Content of a file without its last newline, or the default where there is none."""
    try:
        return path.read_text(errors="replace").rstrip("\n")
    except OSError:
        return default


def put(path: Path, content: str, mode: int = 0o444) -> None:
    """Write one small file, with the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        path.chmod(0o644)
    path.write_text(content if content.endswith("\n") or not content else f"{content}\n")
    path.chmod(mode)


def link(path: Path, target: Path) -> None:
    """Make a symbolic link with a relative target, in place of an older one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.symlink_to(os.path.relpath(target, path.parent))


def remove_tree(folder: Path) -> None:
    """Remove a folder and all below it; python3-minimal has no shutil."""
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.is_dir() and not path.is_symlink():
            remove_tree(path)
        else:
            path.unlink()
    if folder.is_dir():
        folder.rmdir()


class _Constants(ast.NodeTransformer):
    """JSON's three words as Python constants."""

    words = {"true": True, "false": False, "null": None}  # noqa: RUF012 - never changed

    def visit_Name(self, node: ast.Name) -> ast.Constant:
        return ast.Constant(self.words[node.id])


def parse_json(content: str) -> Any:
    """Read JSON without the json module, which Debian 12's python3-minimal lacks."""
    return ast.literal_eval(_Constants().visit(ast.parse(content.strip(), mode="eval")))


def dump_json(value: Any) -> str:
    """Write the few shapes that faults.json has: objects, lists, numbers and plain strings."""
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{key}": {dump_json(item)}' for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(dump_json(item) for item in value) + "]"
    return str(value) if isinstance(value, int) else f'"{value}"'


def configured(name: str) -> dict[str, Any]:
    """One of the lab's files for this host, such as `profile.json`; empty where it is missing."""
    content = text(CONFIGURATION / name)
    return dict(parse_json(content)) if content else {}
