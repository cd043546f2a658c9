"""What a host's driver looks like from outside, at one moment and over the course of a deploy."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from gpufleet.errors import LabError
from gpufleet.lab.lab import LabHost

#: How the names of the source packages begin: Debian 13 has the branch 535 in one of its own.
SOURCE = "nvidia-graphics-drivers"
APT_WORKS = "pgrep -x 'apt-get|apt-mark|dpkg' >/dev/null && echo works || echo idle"
LOOK = (
    f"{APT_WORKS}; cat /sys/module/nvidia/version 2>/dev/null || echo none; "
    "dpkg-query -W -f '${source:Package} ${db:Status-Want} ${db:Status-Status} ${Version} ${Package}\\n' | "
    f"grep '^{SOURCE}'; {APT_WORKS}"
)


@dataclass(frozen=True)
class Sight:
    """One look at a host: the loaded version, and the driver's packages."""

    loaded: str
    #: Selection (`hold`, `install`, ...) of each package that dpkg knows.
    wants: dict[str, str]
    #: Version of each package that is installed.
    versions: dict[str, str]

    #: Whether apt is at work: it takes packages off hold for as long as it has dpkg's lock.
    apt_works: bool = False

    @property
    def held(self) -> bool:
        """Whether every package is on hold."""
        return set(self.wants.values()) == {"hold"}

    @property
    def loose(self) -> bool:
        """Whether a package is off hold while nobody but its user keeps it."""
        return not self.held and not self.apt_works


def look(host: LabHost) -> Sight:
    """Look at the driver of a host."""
    before, loaded, *rows, after = host.execute(LOOK).stdout.splitlines()
    packages = [row.split() for row in rows]
    return Sight(
        loaded,
        {name: want for _, want, _, _, name in packages},
        {name: version for _, _, status, version, name in packages if status == "installed"},
        apt_works="works" in (before, after),
    )


@dataclass
class Watch:
    """Looks at a host over and over while the block runs, and keeps every sight that differs from the one before."""

    host: LabHost
    sights: list[Sight] = field(default_factory=list)
    _done: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()

    def _run(self) -> None:
        boot = self.host.boot_identity()
        while not self._done.wait(0.5):
            try:
                sight = look(self.host)
            except LabError:
                now = self.host.boot_identity()
                if now == boot:  # nothing but a reboot may cut a look off
                    raise
                boot = now or boot
                continue
            if sight not in self.sights[-1:]:
                self.sights.append(sight)

    def first(self, true: Callable[[Sight], bool]) -> Sight | None:
        """Return the first sight of which this is true."""
        return next((sight for sight in self.sights if true(sight)), None)
