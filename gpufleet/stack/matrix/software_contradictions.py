"""Contradictions among CUDA, NCCL, DCGM, GDRCopy, network stacks, the container toolkit, containerd and Kubernetes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from gpufleet.errors import Fault
from gpufleet.stack.matrix.matrix import Matrix
from gpufleet.stack.matrix.software_rows import Cuda, DcgmMajor, Gdrcopy, Nccl, Toolkit
from gpufleet.stack.versions import branch, minor, numbers


def cuda_windows(matrix: Matrix) -> Iterator[Fault]:
    """A major's window ends after its floor, where the next major's begins."""
    ordered = sorted(matrix.cuda_majors, key=lambda row: row.major)
    for row in ordered:
        if row.window_end is not None and row.window_end <= row.floor:
            problem = f"its window ends before branch {row.window_end}, at or below its floor {row.floor}"
            yield Fault(row.place, problem, "correct one of the two")
    for before, after in pairwise(ordered):
        if after.floor <= before.floor:
            problem = f"has the floor {after.floor}, not above that of {before.place}, {before.floor}"
            yield Fault(after.place, problem, "correct one of the two")


def cuda_drivers(matrix: Matrix) -> Iterator[Fault]:
    """A toolkit's minimum driver is of a known branch, at or above the floor of its major."""
    for row in matrix.cuda:
        major = matrix.cuda_major(numbers(row.version)[0])
        if major is None:
            yield Fault(row.place, f"is of major {numbers(row.version)[0]}, which has no row", "add the major")
        for version, driver in {row.version: row.minimum_driver, **row.updates}.items():
            if matrix.branch_of(driver) is None:
                problem = f"{version} asks for driver {driver}, whose branch {branch(driver)} has no row"
                yield Fault(row.place, problem, "add the branch")
            if major and branch(driver) < major.floor:
                problem = f"{version} asks for driver {driver}, below the floor {major.floor} of {major.place}"
                yield Fault(row.place, problem, "correct one of the two")
        yield from _updates(row)


def _updates(row: Cuda) -> Iterator[Fault]:
    for update in row.updates:
        if minor(update) != row.version:
            yield Fault(row.place, f"lists update {update}, which is of {minor(update)}", "move it there")
    ordered = sorted(row.updates.items(), key=lambda item: numbers(item[0]))
    for (_, older), (update, driver) in pairwise([(row.version, row.minimum_driver), *ordered]):
        if numbers(driver) < numbers(older):
            problem = f"update {update} asks for driver {driver}, older than {older} of the release before it"
            yield Fault(row.place, problem, "correct one of the two")


def cuda_of_generations(matrix: Matrix) -> Iterator[Fault]:
    """The first toolkit of a generation is not of a later major than its last."""
    for row in matrix.generations:
        if row.last_cuda_major and numbers(row.first_cuda)[0] > row.last_cuda_major:
            problem = f"begins with CUDA {row.first_cuda}, after its last major {row.last_cuda_major}"
            yield Fault(row.place, problem, "correct one of the two")


def cuda_of_branches(matrix: Matrix) -> Iterator[Fault]:
    """The CUDA version that a branch brings has a row, and its toolkit does not ask for a newer branch."""
    for row in matrix.branches:
        toolkit = matrix.cuda_toolkit(row.cuda)
        if toolkit is None:
            yield Fault(row.place, f"brings CUDA {row.cuda}, which has no row", "add the toolkit")
        elif branch(toolkit.minimum_driver) > row.branch:
            problem = f"brings CUDA {row.cuda}, but {toolkit.place} asks for driver {toolkit.minimum_driver}"
            yield Fault(row.place, problem, "correct one of the two")


def nccl_cuda(matrix: Matrix) -> Iterator[Fault]:
    """A build of NCCL is for a known toolkit, and its oldest branch is not below the floor of that major."""
    for row in matrix.nccl:
        major = matrix.cuda_major(numbers(row.cuda)[0])
        if matrix.cuda_toolkit(row.cuda) is None:
            yield Fault(row.place, f"is built for CUDA {row.cuda}, which has no row", "add the toolkit")
        elif major and row.minimum_branch < major.floor:
            problem = f"runs from branch {row.minimum_branch}, below the floor {major.floor} of {major.place}"
            yield Fault(row.place, problem, "correct one of the two")


def dcgm_majors(matrix: Matrix) -> Iterator[Fault]:
    """A release of DCGM is of a known major and has packages for that major's CUDA versions only."""
    for row in matrix.dcgm:
        major = matrix.dcgm_major(numbers(row.version)[0])
        if major is None:
            yield Fault(row.place, f"is of major {numbers(row.version)[0]}, which has no row", "add the major")
            continue
        for cuda in row.cuda_majors:
            if cuda not in major.cuda_majors:
                problem = f"has packages for CUDA {cuda}, which {major.place} does not support"
                yield Fault(row.place, problem, "correct one of the two")


def minimum_branches(matrix: Matrix) -> Iterator[Fault]:
    """The oldest branch that software asks for is no newer than every branch there is."""
    newest = max((row.branch for row in matrix.branches), default=0)
    rows: tuple[Nccl | DcgmMajor | Gdrcopy | Toolkit, ...]
    rows = (*matrix.nccl, *matrix.dcgm_majors, *matrix.gdrcopy, *matrix.toolkit)
    for row in rows:
        if row.minimum_branch > newest:
            problem = f"asks for branch {row.minimum_branch}, newer than the newest branch {newest}"
            yield Fault(row.place, problem, "add the branch or correct the row")


def containerd_kubernetes(matrix: Matrix) -> Iterator[Fault]:
    """A containerd series names known Kubernetes minors that name it too, and ends after it began."""
    for row in matrix.containerd:
        for version in row.kubernetes:
            minor_version = matrix.kubernetes_minor(version)
            if minor_version is None:
                yield Fault(row.place, f"supports Kubernetes {version}, which has no row", "add the minor version")
            elif minor_version.containerd_of(row.series) is None:
                problem = f"supports Kubernetes {version}, but {minor_version.place} names no containerd {row.series}"
                yield Fault(row.place, problem, "correct one of the two")
        if row.end_of_life and row.end_of_life < row.released:
            problem = f"ends on {row.end_of_life}, before its release on {row.released}"
            yield Fault(row.place, problem, "correct one of the two dates")


def kubernetes_skew(matrix: Matrix) -> Iterator[Fault]:
    """A Kubernetes minor ends after it began, and its oldest kubelet is not newer than itself."""
    for row in matrix.kubernetes:
        for version in row.containerd:
            series = matrix.containerd_series(version)
            if series is None:
                yield Fault(row.place, f"runs with containerd {version}, whose series has no row", "add the series")
            elif row.version not in series.kubernetes:
                problem = f"runs with containerd {version}, but {series.place} does not support it"
                yield Fault(row.place, problem, "correct one of the two")
        if row.end_of_life < row.released:
            problem = f"ends on {row.end_of_life}, before its release on {row.released}"
            yield Fault(row.place, problem, "correct one of the two dates")
        if numbers(row.oldest_kubelet) > numbers(row.version):
            problem = f"names the oldest kubelet {row.oldest_kubelet}, newer than itself"
            yield Fault(row.place, problem, "correct one of the two")


def toolkit_containerd(matrix: Matrix) -> Iterator[Fault]:
    """The containerd series that the toolkit asks for has a row."""
    for row in matrix.toolkit:
        if matrix.containerd_series(row.minimum_containerd) is None:
            problem = f"asks for containerd {row.minimum_containerd}, which has no row"
            yield Fault(row.place, problem, "add the series")


def ofed_lives(matrix: Matrix) -> Iterator[Fault]:
    """A release of the network stack ends after it began."""
    for row in matrix.ofed:
        if row.released and row.end_of_life and row.end_of_life < row.released:
            problem = f"ends on {row.end_of_life}, before its release on {row.released}"
            yield Fault(row.place, problem, "correct one of the two dates")


def doca_repositories(matrix: Matrix) -> Iterator[Fault]:
    """What a release of DOCA is made for has its repository."""
    known = {row.system for row in matrix.repositories if row.name == "doca"}
    for row in matrix.ofed:
        missing = [system for system in row.systems if row.kind == "doca" and system not in known]
        if missing:
            problem = f"is for {', '.join(missing)}, for which there is no repository doca"
            yield Fault(row.place, problem, "add the repository or drop the system")


def rdma_versioned(matrix: Matrix) -> Iterator[Fault]:
    """The packages that carry a release's version are among a stack's packages."""
    for row in matrix.rdma_stacks:
        for name in row.versioned:
            if name not in row.packages:
                yield Fault(row.place, f"says that {name} is versioned, which it does not install", "add or drop it")


CHECKS = (
    cuda_windows, cuda_drivers, cuda_of_generations, cuda_of_branches, nccl_cuda, dcgm_majors, minimum_branches,
    containerd_kubernetes, kubernetes_skew, toolkit_containerd, ofed_lives, doca_repositories, rdma_versioned,
)  # fmt: skip
