"""What a wave tells about its hosts while it runs: one event a line, in JSON, from the child process to its parent."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What happened."""

    #: The host's connection is being opened.
    CONNECTING = "connecting"
    #: The deploy files are being read for the host.
    PREPARING = "preparing"
    #: A dry run knows whether an operation would change the host.
    PLANNED = "planned"
    #: An operation began.
    STARTED = "started"
    #: An operation came to its end.
    COMPLETED = "completed"
    #: Nothing more happens on the host.
    ENDED = "ended"
    #: The roles that the deploy files brought in; belongs to no host.
    ROLES = "roles"


class Outcome(StrEnum):
    """How an operation came out, or in a dry run would come out."""

    CHANGED = "changed"
    UNCHANGED = "unchanged"
    #: A dry run cannot tell: the operation depends on what operations before it will do.
    CONDITIONAL = "conditional"
    FAILED = "failed"


class HostState(StrEnum):
    """How a host came out of a run."""

    #: Connected, every operation complete, none failed.
    DONE = "done"
    #: Reached, but not brought to the end.
    FAILED = "failed"
    #: No connection: the address, the host key or the login was refused.
    UNREACHABLE = "unreachable"
    #: The login may not become root.
    REFUSED = "refused"


@dataclass(frozen=True)
class Event:
    """One thing that happened on one host."""

    kind: Kind
    host: str = ""
    #: Name of the operation, with the names of the deploys around it.
    operation: str = ""
    #: For COMPLETED and PLANNED.
    outcome: Outcome | None = None
    #: For ENDED.
    state: HostState | None = None
    #: For ENDED: what went wrong, in full.
    error: str = ""
    #: Position of the operation and how many the host has.
    number: int = 0
    total: int = 0
    #: Seconds since the host's turn began.
    seconds: float = 0.0
    #: For ROLES: their names.
    names: tuple[str, ...] = ()

    def to_line(self) -> str:
        """The event as one line of JSON, without what is unset."""
        return json.dumps({key: value for key, value in vars(self).items() if value}) + "\n"

    @classmethod
    def from_line(cls, line: str | bytes) -> Event:
        """Read one line that `to_line` wrote."""
        fields = json.loads(line)
        fields["kind"] = Kind(fields["kind"])
        if "outcome" in fields:
            fields["outcome"] = Outcome(fields["outcome"])
        if "state" in fields:
            fields["state"] = HostState(fields["state"])
        fields["names"] = tuple(fields.get("names", ()))
        return cls(**fields)
