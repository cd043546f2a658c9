"""Hold what is wanted of a host against the matrix, for a declared machine or for one that was asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from gpufleet.errors import GpufleetError
from gpufleet.facts.machine import HostMachine
from gpufleet.options import HasData
from gpufleet.options.repository import RepositoryOptions
from gpufleet.stack.check import check
from gpufleet.stack.declared import DeclaredMachine
from gpufleet.stack.evidence import Evidence
from gpufleet.stack.host import mirrors, overlay
from gpufleet.stack.host.wishes import wishes
from gpufleet.stack.matrix import Matrix, load
from gpufleet.stack.resolution import Resolution
from gpufleet.stack.resolve import resolve
from gpufleet.stack.verdicts import Verdict
from gpufleet.stack.wanted import StackData
from gpufleet.stack.wish import Wish


@dataclass(frozen=True)
class Judgment:
    """What the matrix says of one host; without a machine it was not asked, and there is no verdict."""

    wish: Wish | None
    machine: HostMachine | None
    verdicts: tuple[Verdict, ...] = ()
    #: Fields of the machine that are not declared, where the host was not asked: their usual values were taken.
    unknown: tuple[str, ...] = ()
    #: File with the operator's own rows.
    own: Path | None = None
    #: Where the site has vendors' repositories, by name.
    repositories: tuple[tuple[str, RepositoryOptions], ...] = ()

    @property
    def wants_anything(self) -> bool:
        """Whether roles or inventory want anything of the stack; a host without GPU software often does not."""
        return self.wish is None or bool(self.wish.model_fields_set)

    @property
    def lacks_machine(self) -> bool:
        """Whether too little is known of the machine for a verdict that somebody would want."""
        return self.machine is None and self.wants_anything and not self.verdicts

    @property
    def resolution(self) -> Resolution | None:
        """What is chosen for the host, None where too little is known."""
        if not (self.wish and self.machine):
            return None
        return mirrors.placed(_resolve(self.wish, self.machine, self.own), dict(self.repositories))

    @property
    def evidence(self) -> Evidence | None:
        """The rows that the choice rests on."""
        resolution = self.resolution
        if resolution is None or self.wish is None or self.machine is None:
            return None
        return Evidence(_matrix(self.own), self.machine.system, self.wish, resolution.driver)


def judge(
    host: HasData, folder: Path, today: date, *, strict: bool = False, found: HostMachine | None = None
) -> Judgment:
    """Judge one host by what its inventory declares, or by what it said of itself.

    Raises GpufleetError for an overlay that cannot be read.
    """
    declared, stack = DeclaredMachine.of(host), StackData.of(host)
    own, sites = overlay.find(folder, stack.overlay), tuple(stack.repositories.items())
    wish, wrong = wishes(host), misplaced(stack.repositories, own)
    machine = declared.completed(found) if found else declared.machine()
    unknown = () if found else tuple(declared.unknown())
    if isinstance(wish, Verdict):
        return Judgment(None, machine, (wish, *wrong), unknown, own, sites)
    if own:
        _matrix(own)  # a broken file is a fault also where no host says enough to need it
    if machine is None:
        return Judgment(wish, None, wrong, unknown, own, sites)
    differences = (*(declared.differences(found) if found else ()), *wrong)
    unpinned = mirrors.unpinned(_resolve(wish, machine, own), stack.repositories)
    verdicts = (*differences, *unpinned, *_check(wish, machine, own, today, strict))
    return Judgment(wish, machine, verdicts, unknown, own, sites)


def misplaced(sites: mirrors.Mirrors, own: Path | None) -> tuple[Verdict, ...]:
    """Return an error for every mirror of a repository that the matrix with this overlay does not know."""
    return mirrors.unknown(sites, _matrix(own)) if sites else ()


@cache  # the hosts of a fleet are of a few kinds
def _check(wish: Wish, found: HostMachine, own: Path | None, today: date, strict: bool) -> tuple[Verdict, ...]:
    return check(found.hardware, found.system, wish, _matrix(own), today, strict)


@cache
def _resolve(wish: Wish, found: HostMachine, own: Path | None) -> Resolution:
    return resolve(found.hardware, found.system, wish, _matrix(own))


def _matrix(own: Path | None) -> Matrix:
    loaded = _loaded(own)
    if isinstance(loaded, GpufleetError):
        raise loaded
    return loaded


@cache  # also of a broken file: a thousand hosts may name it
def _loaded(own: Path | None) -> Matrix | GpufleetError:
    try:
        return load(own)
    except GpufleetError as error:
        return error


def decide(wish: Wish, found: HostMachine, own: Path | None) -> Resolution:
    """Return the resolution of a wish on a machine with this overlay; equal questions share an answer."""
    return _resolve(wish, found, own)
