"""Options of the kernel module `nvidia` that the hardware asks for."""

from __future__ import annotations

from gpufleet.stack.case import Case
from gpufleet.stack.gpu_limits import generation_of
from gpufleet.stack.imex import creates_channel
from gpufleet.stack.part import Part

#: First branch with driver-managed memory on coherent systems (CDMM).
#: Source: NVIDIA/gpu-driver-container, ubuntu24.04/nvidia-driver, 2026-08; Azure/azhpc-images, 2026-07-29.
CDMM_BRANCH = 580


def module_options(case: Case) -> Part:
    """Choose the options; those of the inventory come on top of them, in the role that writes the file."""
    if not case.has_driver:
        return Part()
    options: dict[str, tuple[str, str]] = {}
    if case.branch >= CDMM_BRANCH and _coherent(case):
        reason = "keeps GPU memory from becoming NUMA nodes, which Kubernetes would count as the host's (CDMM)"
        options["NVreg_CoherentGPUMemoryMode"] = ("driver", reason)
    if creates_channel(case):
        options["NVreg_CreateImexChannel0"] = ("1", "one IMEX channel from boot on, for all users of the host")
    return Part(
        module_options={name: value for name, (value, _) in options.items()},
        reasons={f"option {name}": reason for name, (_, reason) in options.items()},
    )


def _coherent(case: Case) -> bool:
    rows = [generation_of(device, case.matrix) for device in case.devices]
    return case.tray or any(row is not None and row.generation == "grace_hopper" for row in rows)
