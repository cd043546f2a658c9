"""Files on a host by which a network manager is told something."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class File:
    """One file: where it goes, the template it comes from, below templates/, and what that is given."""

    path: str
    template: str
    context: dict[str, Any] = field(default_factory=dict)
    mode: str = "644"
