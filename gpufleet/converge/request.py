"""What a wave's process is asked to do, handed over as one line of JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Request:
    """Deploy these files to these hosts of this inventory."""

    inventory: str
    deploys: tuple[str, ...]
    hosts: tuple[str, ...]
    #: Look for changes and make none.
    dry: bool = False

    def to_line(self) -> str:
        """The request as one line of JSON."""
        return json.dumps(asdict(self)) + "\n"

    @classmethod
    def from_line(cls, line: str | bytes) -> Request:
        """Read the line that `to_line` wrote."""
        fields = json.loads(line)
        return cls(fields["inventory"], tuple(fields["deploys"]), tuple(fields["hosts"]), fields["dry"])
