"""NCCL: library and headers at one exact version for each CUDA major of the wish.

One libnccl2 can be installed at a time. The build for the default toolkit is, and the build for another major goes
below the toolkit of that major, into `/usr/local/cuda-X.Y/nccl/include` and `nccl/lib`, for what names that folder.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from gpufleet.stack.case import Case
from gpufleet.stack.cuda_choice import Toolkit
from gpufleet.stack.matrix.software_rows import Nccl
from gpufleet.stack.nccl_conflicts import not_built, third_major, too_new, unreadable
from gpufleet.stack.part import Part
from gpufleet.stack.resolution import Package, Unpacked
from gpufleet.stack.versions import newest, numbers

_VERSION = re.compile(r"[0-9]{1,2}\.[0-9]{1,3}\.[0-9]{1,3}")
_CUDA = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3})?")
_NAMES = {"deb": ("libnccl2", "libnccl-dev"), "rpm": ("libnccl", "libnccl-devel")}


def nccl(case: Case, toolkits: Sequence[Toolkit], default: str) -> Part:
    """Choose the builds of NCCL: the first is installed, others are unpacked beside their toolkits."""
    wish, cuda = case.wish.nccl, case.wish.nccl_cuda
    if wish is None or not (case.hardware.gpus or case.wish.cuda):
        return Part()
    if wish != "auto" and not _VERSION.fullmatch(wish):
        return Part(verdicts=(unreadable("nccl", "auto or a version such as 2.28.3", wish),))
    if cuda is not None and not _CUDA.fullmatch(cuda):
        return Part(verdicts=(unreadable("nccl_cuda", "a CUDA version such as 13.0 or 13", cuda),))
    majors = [numbers(toolkit.row.version)[0] for toolkit in toolkits]
    if cuda is not None and majors and numbers(cuda)[0] not in majors:
        return Part(verdicts=(third_major(case, cuda, wish),))
    targets = _targets(case, majors, default)
    builds = _builds(case, wish, targets, [toolkit.row.version for toolkit in toolkits])
    if not builds:
        return Part(verdicts=(not_built(case, wish, targets),))
    bridged = {numbers(toolkit.row.version)[0] for toolkit in toolkits if toolkit.support.compat}
    old = [
        build for build in builds if 0 < case.branch < build.minimum_branch and numbers(build.cuda)[0] not in bridged
    ]
    verdicts = tuple(too_new(case, build) for build in old)
    return Part(verdicts=verdicts) if verdicts else _installed(case, builds, toolkits)


def _targets(case: Case, majors: Sequence[int], default: str) -> list[int]:
    """Return the CUDA majors that NCCL is wanted for, that of the default toolkit first; empty means any."""
    if case.wish.nccl_cuda is not None:
        return [numbers(case.wish.nccl_cuda)[0]]
    if majors:
        first = numbers(default)[0] if default else majors[-1]
        return [first, *sorted(set(majors) - {first}, reverse=True)]
    return [numbers(case.driver.row.cuda)[0]] if case.driver.row else []


def _builds(case: Case, wish: str, targets: Sequence[int], toolkits: Sequence[str]) -> list[Nccl]:
    """Return one build for each target, of the wished version or of the newest that has them all.

    The distribution's own version comes first where the wish prefers those, and a build for the toolkits at hand
    before one for a newer toolkit of their major.
    """
    for versions in _candidates(case, wish):
        for newer in (False, True):
            found = {
                version: builds for version in versions if (builds := _set(case, version, targets, toolkits, newer))
            }
            best = newest(version for version, builds in found.items() if _loadable(case, builds)) or newest(found)
            if best:
                return found[best]
    return []


def _candidates(case: Case, wish: str) -> list[set[str]]:
    if wish != "auto":
        return [{wish}]
    return [{row.version for row in _distribution(case)}, {row.version for row in case.matrix.nccl}]


def _set(case: Case, version: str, targets: Sequence[int], toolkits: Sequence[str], newer: bool) -> list[Nccl]:
    """Return the builds of one version for all targets; none where it lacks one of them."""
    rows = case.matrix.nccl_builds(version)
    wanted = targets or sorted({numbers(row.cuda)[0] for row in rows})[-1:]
    builds = [build for major in wanted if (build := _best(case, rows, major, toolkits, newer))]
    return builds if len(builds) == len(wanted) else []


def _best(case: Case, rows: Sequence[Nccl], major: int, toolkits: Sequence[str], newer: bool) -> Nccl | None:
    """Return the newest build of the major that is not newer than its toolkits, or for just the wished CUDA version.

    Where a newer one is allowed, that is the oldest of the major: its minimum branch says which drivers load it.
    """
    wished = case.wish.nccl_cuda or ""
    if "." in wished:
        return next((row for row in rows if row.cuda == wished), None)
    own = [numbers(version) for version in toolkits if numbers(version)[0] == major]
    if not own and case.driver.row and numbers(case.driver.row.cuda)[0] == major:
        own = [numbers(case.driver.row.cuda)]
    of_major = [row for row in rows if numbers(row.cuda)[0] == major]
    fitting = [row for row in of_major if not own or numbers(row.cuda) <= max(own)]
    return next(reversed(fitting), next(iter(of_major), None) if newer else None)


def _loadable(case: Case, builds: Sequence[Nccl]) -> bool:
    return all(case.branch == 0 or build.minimum_branch <= case.branch for build in builds)


def _distribution(case: Case) -> list[Nccl]:
    prefers = case.wish.source == "distribution"
    return [row for row in case.matrix.nccl if prefers and case.system.release in row.distribution]


def _installed(case: Case, builds: Sequence[Nccl], toolkits: Sequence[Toolkit]) -> Part:
    first, *others = builds
    version = first.package_version
    if case.wish.source == "distribution":
        version = first.distribution.get(case.system.release, version)
    reason = f"library and headers for CUDA {numbers(first.cuda)[0]} at one exact version"
    names = _NAMES[case.packaging]
    packages = tuple(Package("nccl", name, version, reason) for name in names)
    unpacked = tuple(_unpacked(name, build, toolkits) for build in others for name in names)
    return Part(packages=packages, unpacked=unpacked)


def _unpacked(name: str, build: Nccl, toolkits: Sequence[Toolkit]) -> Unpacked:
    major = numbers(build.cuda)[0]
    home = next(toolkit.row.version for toolkit in reversed(toolkits) if numbers(toolkit.row.version)[0] == major)
    reason = f"for CUDA {major}, beside its toolkit, as only one {name} can be installed"
    return Unpacked("nccl", name, build.package_version, f"/usr/local/cuda-{home}", reason)
