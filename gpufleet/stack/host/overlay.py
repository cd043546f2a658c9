"""Where the operator's own rows of the matrix lie: a file beside the inventory."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from gpufleet.errors import InventoryError

#: The file's name, where the key `stack` names no other.
NAME = "stack.yaml"
#: Names the inventory to the processes that deploy and verify; `gpufleet` sets it for them.
VARIABLE = "GPUFLEET_INVENTORY"


def folder() -> Path:
    """Return the folder of the inventory that this process works on.

    Under plain pyinfra that of the first Python file on its command line, which is the inventory; where neither names
    one, the current directory, as pyinfra reads `group_data` there too.
    """
    if named := os.environ.get(VARIABLE):
        return Path(named).parent
    return _from_command_line(sys.argv) or Path()


def _from_command_line(arguments: list[str]) -> Path | None:
    program, *rest = [Path(argument) for argument in arguments] or [Path()]
    if "pyinfra" not in (program.name, program.parent.name):
        return None
    return next((path.parent for path in rest if path.suffix == ".py" and path.is_file()), None)


def find(beside: Path, named: str | None = None) -> Path | None:
    """Return the overlay file: the named one, which must exist, else `stack.yaml` if there is one."""
    path = (beside / (named or NAME)).resolve()
    if path.is_file():
        return path
    if named:
        cure = "correct stack.overlay: it is relative to the inventory"
        raise InventoryError("stack.overlay", expected="a file", found=f"no {beside / named}", cure=cure)
    return None
