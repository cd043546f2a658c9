"""Options of the kernel module `nvidia` that the hardware asks for."""

from __future__ import annotations

from gpufleet.stack.case import TRAYS, Case
from gpufleet.stack.gpu_limits import devices, generation_of
from gpufleet.stack.imex import creates_channel
from gpufleet.stack.machine import Hardware
from gpufleet.stack.matrix import Matrix
from gpufleet.stack.part import Part

#: First branch with driver-managed memory on coherent systems (CDMM).
#: Source: NVIDIA/gpu-driver-container, ubuntu24.04/nvidia-driver, 2026-08; Azure/azhpc-images, 2026-07-29.
CDMM_BRANCH = 580
CDMM = "NVreg_CoherentGPUMemoryMode"


def module_options(case: Case) -> Part:
    """Choose the options; those of the inventory come on top of them, in the role that writes the file."""
    if not case.has_driver:
        return Part()
    options: dict[str, tuple[str, str]] = {}
    if case.branch >= CDMM_BRANCH and coherent(case.hardware, case.matrix):
        reason = "keeps GPU memory from becoming NUMA nodes, which Kubernetes would count as the host's (CDMM)"
        options[CDMM] = ("driver", reason)
    if creates_channel(case):
        options["NVreg_CreateImexChannel0"] = ("1", "one IMEX channel from boot on, for all users of the host")
    return Part(
        module_options={name: value for name, (value, _) in options.items()},
        reasons={f"option {name}": reason for name, (_, reason) in options.items()},
    )


def coherent(hardware: Hardware, matrix: Matrix) -> bool:
    """Tell whether CPU and GPUs of a host share one coherent memory: Grace Hopper, GB200, GB300."""
    found = devices(hardware)
    rows = [generation_of(device, matrix) for device in found]
    return bool(TRAYS & set(found)) or any(row is not None and row.generation == "grace_hopper" for row in rows)
