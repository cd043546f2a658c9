"""What a driver says to a CUDA toolkit: runs it in full, within limits, with cuda-compat, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from gpufleet.stack.case import Case
from gpufleet.stack.gpu_limits import called, data_center, generation_of
from gpufleet.stack.matrix.software_rows import Cuda
from gpufleet.stack.rules import COMPAT, verdict
from gpufleet.stack.verdicts import Verdict
from gpufleet.stack.versions import numbers

#: What does not work where the driver is older than the one a toolkit came with, within one major.
LIMITS = "programs that carry PTX alone fail with error 222, new API entry points with error 36"


@dataclass(frozen=True)
class Support:
    """The reason to install cuda-compat, empty where it is not wanted, and the verdicts."""

    compat: str = ""
    verdicts: tuple[Verdict, ...] = field(default=())


def support(case: Case, version: str, row: Cuda) -> Support:
    """Hold a toolkit against the driver and the GPUs."""
    gpus = tuple(_gpus(case, row))
    if not case.has_driver:
        return Support(verdicts=gpus)
    major = case.matrix.cuda_major(numbers(row.version)[0])
    needed = row.driver_of(version)
    too_old = major is not None and case.branch < major.floor
    if not too_old and numbers(case.driver.version) >= numbers(needed):
        return Support(verdicts=(*gpus, *_needless_compat(case, row)))
    if case.wish.cuda_compat:
        return _with_compat(case, version, needed, row, gpus)
    if too_old and major is not None:
        return Support(verdicts=(*gpus, _below_floor(case, version, major.floor, row)))
    return Support(verdicts=(*gpus, _in_window(case, version, needed, row)))


def _with_compat(case: Case, version: str, needed: str, row: Cuda, gpus: tuple[Verdict, ...]) -> Support:
    others = [device for device in case.devices if not data_center(device, case.matrix)]
    if not others:
        return Support(f"CUDA {version} on driver {case.driver.version}, which is older than {needed}", gpus)
    objection = verdict(
        "error",
        COMPAT,
        where="cuda_compat",
        expected=f"data-center GPUs, the only ones that {row.compat} works with",
        found=", ".join(f"10de:{device}" for device in others),
        cure=f"choose driver {needed} or newer, or an older toolkit",
    )
    return Support(verdicts=(*gpus, objection))


def _needless_compat(case: Case, row: Cuda) -> Iterator[Verdict]:
    if case.wish.cuda_compat:
        yield verdict(
            "note",
            row,
            where="cuda_compat",
            expected="a driver older than the toolkit",
            found=f"driver {case.driver.version}, which runs CUDA {row.version} in full",
            cure=f"{row.compat} is left out, as it would put an older library before the driver's own",
        )


def _below_floor(case: Case, version: str, floor: int, row: Cuda) -> Verdict:
    return verdict(
        "error",
        row,
        where="cuda",
        expected=f"driver branch {floor} or newer for CUDA {version}",
        found=f"driver {case.driver.version}",
        cure=f"choose driver {floor}, an older toolkit, or set cuda_compat for {row.compat} (data-center GPUs only)",
    )


def _in_window(case: Case, version: str, needed: str, row: Cuda) -> Verdict:
    return verdict(
        "warning",
        row,
        where="cuda",
        expected=f"driver {needed} or newer for all of CUDA {version}",
        found=f"driver {case.driver.version}, on which {LIMITS}",
        cure=f"choose a newer driver, or set cuda_compat for {row.compat} (data-center GPUs only)",
    )


def _gpus(case: Case, row: Cuda) -> Iterator[Verdict]:
    for device in case.devices:
        generation = generation_of(device, case.matrix)
        if generation is None:
            continue
        text = f"10de:{device} ({called(generation)})"
        if generation.last_cuda_major and numbers(row.version)[0] > generation.last_cuda_major:
            yield verdict(
                "error",
                generation,
                where="cuda",
                expected=f"CUDA {generation.last_cuda_major} or older for GPU {text}",
                found=row.version,
                cure="choose an older toolkit for this host",
            )
        elif numbers(row.version) < numbers(generation.first_cuda):
            yield verdict(
                "warning",
                generation,
                where="cuda",
                expected=f"CUDA {generation.first_cuda} or newer to compile for GPU {text}",
                found=row.version,
                cure="choose a newer toolkit beside it; what this one builds runs by PTX at best",
            )
