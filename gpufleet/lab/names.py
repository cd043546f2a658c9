"""Names that the lab knows, and the refusal that offers the nearest one."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from gpufleet.errors import LabError
from gpufleet.lab.systems import SYSTEMS

__all__ = ["NAME", "SYSTEMS", "known", "well_formed"]

#: What a lab or host may be called: it becomes a container name and a host name.
NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?")


def known(where: str, kind: str, name: str, names: Iterable[str]) -> str:
    """Return the name if it is one of the names; raises LabError that offers the nearest."""
    choices = list(names)
    if name in choices:
        return name
    near = difflib.get_close_matches(name, choices, n=1)
    cure = f"did you mean {near[0]}?" if near else f"choose one of {', '.join(choices)}"
    raise LabError(where, expected=f"a known {kind}", found=f"`{name}`", cure=cure)


def well_formed(kind: str, name: str) -> str:
    """Return the name if it can name a container and a host; raises LabError."""
    if NAME.fullmatch(name):
        return name
    raise LabError(
        kind,
        expected="lower-case letters, digits and inner hyphens, at most 42 of them",
        found=f"`{name}`",
        cure=f"choose another name for the {kind}",
    )
