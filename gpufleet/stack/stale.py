"""Names that a driver has on other branches, in other flavors or from other origins, and that must go with them."""

from __future__ import annotations

from collections.abc import Iterator

from gpufleet.stack.case import Case
from gpufleet.stack.companion_names import stale_companions
from gpufleet.stack.matrix.driver_rows import Scheme
from gpufleet.stack.templates import fill


def stale_names(case: Case, chosen: Scheme) -> tuple[str, ...]:
    """Return what must not lie beside the chosen packages, in a stable order.

    Names that carry another branch go, whoever made them. Names without one go where the chosen ones carry theirs, and
    where they are of the same branch and origin: the other flavor's, and the larger profile's metapackages when the
    smaller one is wished for. All others may be what the chosen packages depend on, and stay.
    """
    builds = [row for row in _here(case) if _same_build(case, row, chosen)]
    kept = {fill(name, case.branch, "", "") for row in builds for name in (*row.packages, row.persistenced)}
    stale: list[str] = [fill(name, case.branch, case.driver.version, case.kernel) for name in chosen.unwanted]
    suffixed = any(str(case.branch) in name for name in _names(chosen, case.branch))
    for row in _here(case):
        for branch in case.matrix_branches:
            if branch in row.branches:
                own = row.origin == chosen.origin and (suffixed or branch == case.branch)
                stale += [name for name in _names(row, branch) if own or str(branch) in name]
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
    others = [name for name in row.unwanted if "{branch}" in name]
    names = [*row.packages, *([row.persistenced] if row.persistenced else []), *others]
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
