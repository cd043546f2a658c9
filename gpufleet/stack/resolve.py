"""From a wish to exact packages: the whole stack fits, or nothing of it is installed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from gpufleet.stack.case import Case
from gpufleet.stack.container_toolkit_choice import container_toolkit
from gpufleet.stack.containerd_choice import containerd
from gpufleet.stack.cuda_choice import cuda, toolkits
from gpufleet.stack.dcgm import dcgm
from gpufleet.stack.driver_choice import decide
from gpufleet.stack.driver_packages import driver_packages, emptied, no_scheme, scheme
from gpufleet.stack.fabric import fabric
from gpufleet.stack.gdrcopy_choice import gdrcopy
from gpufleet.stack.gpudirect import Path, gpudirect
from gpufleet.stack.imex import imex
from gpufleet.stack.kernels import kernel_conflicts
from gpufleet.stack.kubernetes_choice import kubernetes
from gpufleet.stack.machine import Hardware, System
from gpufleet.stack.matrix import Matrix
from gpufleet.stack.module_options import module_options
from gpufleet.stack.nccl_choice import nccl
from gpufleet.stack.ofed_conflicts import ofed_conflicts
from gpufleet.stack.part import Part, total
from gpufleet.stack.rdma_choice import rdma
from gpufleet.stack.repositories import no_repository, repositories
from gpufleet.stack.resolution import DriverChoice, RdmaChoice, Resolution, Service
from gpufleet.stack.skew import skew
from gpufleet.stack.verdicts import Verdict
from gpufleet.stack.wish import Wish


def resolve(hardware: Hardware, system: System, wish: Wish, matrix: Matrix) -> Resolution:
    """Return exact packages, services and modules for a host, each with its reason.

    Where the wish cannot be had, the resolution holds the verdicts that forbid it and nothing to install. Equal
    questions have equal answers, and no wish raises.
    """
    case = Case(hardware, system, wish, matrix, decide(hardware, system, wish, matrix))
    return answer(case)


def answer(case: Case) -> Resolution:
    """Put the shares of all components together."""
    default, toolkit_packages = cuda(case)
    path, adapters = gpudirect(case)
    nccl_packages = nccl(case, toolkits(case)[0], default)
    stack, rdma_part = rdma(case, path == "peermem")
    conflicts = Part(
        verdicts=(*no_scheme(case), *emptied(case), *kernel_conflicts(case), *ofed_conflicts(case), *skew(case))
    )
    parts = (fabric(case), imex(case), module_options(case), adapters, gdrcopy(case), dcgm(case), containerd(case))
    nodes = (container_toolkit(case), kubernetes(case))
    share = total([conflicts, *parts, *nodes, toolkit_packages, nccl_packages, rdma_part])
    verdicts = tuple(dict.fromkeys((*case.driver.verdicts, *share.verdicts)))
    if not _forbid(verdicts):
        verdicts = (*verdicts, *no_repository(case, share, stack))
    if _forbid(verdicts):
        return Resolution(verdicts=verdicts)
    return replace(_granted(case, share, stack, path, verdicts), cuda_default=default)


def _forbid(verdicts: Iterable[Verdict]) -> bool:
    return any(verdict.level == "error" for verdict in verdicts)


def _granted(
    case: Case, share: Part, stack: RdmaChoice | None, path: Path, verdicts: tuple[Verdict, ...]
) -> Resolution:
    driver = _driver(case)
    return Resolution(
        driver=driver,
        rdma=stack,
        packages=share.packages,
        unwanted=share.unwanted,
        services=(*_persistenced(case, driver), *share.services),
        kernel_modules=share.kernel_modules,
        module_options=share.module_options,
        unpacked=share.unpacked,
        repositories=repositories(case, share, stack),
        gpudirect=path,
        reasons=share.reasons,
        verdicts=verdicts,
    )


def _driver(case: Case) -> DriverChoice | None:
    row = scheme(case) if case.has_driver else None
    return driver_packages(case, row) if row else None


def _persistenced(case: Case, driver: DriverChoice | None) -> tuple[Service, ...]:
    if driver is None or not any(package.component == "persistenced" for package in driver.packages):
        return ()
    return (Service("nvidia-persistenced.service", enabled=True, reason="keeps idle GPUs initialized"),)
