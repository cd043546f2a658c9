"""Names that a driver has on other branches, in other flavors or from other origins, and that must go with them."""

from __future__ import annotations

from collections.abc import Iterator

from gpufleet.stack.case import Case
from gpufleet.stack.companion_names import stale_companions
from gpufleet.stack.matrix.driver_rows import Scheme
from gpufleet.stack.templates import fill


def stale_names(case: Case, chosen: Scheme) -> tuple[str, ...]:
    """Return what must not lie beside the chosen packages, in a stable order.

    The packages that the chosen ones depend on have rows of their own where the smaller profile names them; these
    stay, whereas the larger profile's metapackages go when the smaller one is wished for. Of another origin only names
    that carry their branch go: NVIDIA's packages for Debian depend on libraries that have the names of Debian's own.
    """
    kept = {name for row in _here(case) if _same_build(case, row, chosen) for name in _names(row, case.branch)}
    stale: list[str] = [fill(name, case.branch, case.driver.version, case.kernel) for name in chosen.unwanted]
    for row in _here(case):
        for branch in case.matrix_branches:
            if branch in row.branches:
                stale += [name for name in _names(row, branch) if row.origin == chosen.origin or str(branch) in name]
    stale += [*stale_companions(case), *_pins(case, chosen)]
    return tuple(name for name in dict.fromkeys(stale) if name not in kept)


def _here(case: Case) -> Iterator[Scheme]:
    return (row for row in case.matrix.schemes if case.system.release in row.systems)


def _same_build(case: Case, row: Scheme, chosen: Scheme) -> bool:
    smaller = chosen.profile in ("full", row.profile)
    same = (row.origin, row.flavor, row.modules) == (chosen.origin, chosen.flavor, chosen.modules)
    return same and smaller and case.branch in row.branches


def _names(row: Scheme, branch: int) -> list[str]:
    """Leave out names that only a kernel's release would complete: they go with the packages that need them."""
    names = [*row.packages, *([row.persistenced] if row.persistenced else [])]
    return [fill(name, branch, "", "") for name in names if "{kernel" not in name and "{version" not in name]


def _pins(case: Case, chosen: Scheme) -> Iterator[str]:
    """Return the pinning packages of other releases and of whole branches: two of them contradict each other."""
    wanted = fill(case.matrix.pinning(chosen, case.driver.version), case.branch, case.driver.version, "")
    for row in _here(case):
        for release in case.matrix.releases:
            if release.branch in row.branches:
                templates = (row.pinning, row.exact_pinning if release.pin else "")
                names = [fill(name, release.branch, release.version, "") for name in templates if name]
                yield from (name for name in names if name != wanted)
