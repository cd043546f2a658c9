"""Daemons of the driver as systemd runs them, and whether they run on what lies on disk now."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pyinfra.api.facts import FactBase
from typing_extensions import override

from gpufleet.facts.units import UnitState

_PROPERTIES = "LoadState,ActiveState,UnitFileState,NeedDaemonReload,FragmentPath,DropInPaths,ActiveEnterTimestamp"
#: Where units of the administrator lie, which systemd prefers to packages'.
ADMINISTRATORS = "/etc/systemd/system"


@dataclass(frozen=True)
class GpuDaemon:
    """One unit, with the times, in Unix seconds, of its start and of the last change of its files; 0 for none.

    They have fractions where systemd tells them (from 248 on): a package that starts its daemon and a file that is
    written next may share a second.
    """

    state: UnitState = field(default_factory=UnitState)
    #: Whether its unit files are other than those that systemd works by.
    is_unread: bool = False
    started: float = 0
    changed: float = 0

    @property
    def is_stale(self) -> bool:
        """Whether it runs on files that changed after its start."""
        return self.state.is_running and self.changed > self.started


class GpuDaemonState(FactBase[GpuDaemon]):
    """A unit's state, and that of files which it reads at its start alone; files that are not there never changed."""

    default = GpuDaemon

    @override
    def command(self, unit: str, files: Sequence[str] = ()) -> str:
        """Ask systemd, and for the files' status changes: packages give their files old times of modification.

        A link counts with what it leads to: it may lead to an older file than before.

        `--timestamp` came with systemd 248, and Enterprise Linux 8 has 239; its `unix` came with 251.
        """
        shown = f"--property={_PROPERTIES} {shlex.quote(unit)}"
        asked = f"export TZ=UTC; systemctl show --timestamp=us {shown} 2>/dev/null || systemctl show {shown}"
        path = shlex.quote(f"{ADMINISTRATORS}/{unit}")
        own = f"[ ! -e {path} ] || echo Own=yes; ls -d {path}.d/*.conf 2>/dev/null | sed s/^/DropIn=/"
        changed = [f"; stat {follow}-c Changed=%.6Z {shlex.join(files)} 2>/dev/null" for follow in ("", "-L ")]
        times = "".join(changed) if files else ""
        return f"{asked}; {own}{times}; true"

    @override
    def process(self, output: list[str]) -> GpuDaemon:
        """Parse `ActiveEnterTimestamp=Mon 2026-11-23 06:33:41.250000 UTC`; a unit that never ran has no time.

        systemd finds the first file of a directory that is new to it at some later time: until then it needs no reload
        by its own account, so an administrator's copy or drop-in counts as unread while it is not used.
        """
        rows = [line.strip().partition("=")[::2] for line in output if "=" in line]
        last = dict(rows)
        is_own = last.get("FragmentPath", "").startswith(f"{ADMINISTRATORS}/")
        used, there = set(last.get("DropInPaths", "").split()), {value for name, value in rows if name == "DropIn"}
        is_used = is_own == ("Own" in last) and there <= used
        state = UnitState(last["LoadState"], last["ActiveState"], last.get("UnitFileState", ""))
        started = last.get("ActiveEnterTimestamp", "")
        changed = max((float(value) for name, value in rows if name == "Changed"), default=0)
        return GpuDaemon(
            state=state,
            is_unread=last.get("NeedDaemonReload") == "yes" or not (state.is_masked or is_used),
            started=_seconds(started),
            changed=changed if "." in started else int(changed),
        )


def _seconds(timestamp: str) -> float:
    """Return the Unix seconds of systemd's notation in UTC, 0 for none."""
    words = timestamp.split()
    if len(words) != 4:
        return 0
    return datetime.fromisoformat("T".join(words[1:3])).replace(tzinfo=UTC).timestamp()
