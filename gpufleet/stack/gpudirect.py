"""GPUDirect RDMA: whether network adapters reach GPU memory by DMA-BUF or by the module nvidia_peermem."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from gpufleet.stack.case import Case
from gpufleet.stack.kernels import kernel_numbers
from gpufleet.stack.part import Part
from gpufleet.stack.rdma_choice import chosen_ofed
from gpufleet.stack.rules import DMA_BUF, EFA, NEEDS_DRIVER, PEERMEM, verdict
from gpufleet.stack.verdicts import Verdict

Path = Literal["", "dma-buf", "peermem"]

#: First kernel that lets a driver export device memory to RDMA as DMA-BUF.
DMA_BUF_KERNEL = (5, 12)


def gpudirect(case: Case) -> tuple[Path, Part]:
    """Choose the path, with its reason, and the kernel module that it needs."""
    wish = case.wish.rdma
    if wish in (None, "off") or not case.has_driver:
        return "", Part(verdicts=tuple(_no_driver(case)))
    if wish == "peermem":
        return "peermem", _peermem(case, "peermem is wished for")
    if wish == "dma-buf":
        return "dma-buf", Part(reasons={"gpudirect": "dma-buf is wished for"}, verdicts=tuple(_no_dma_buf(case)))
    return _automatic(case)


def _automatic(case: Case) -> tuple[Path, Part]:
    if not case.hardware.rdma_adapters and not _efa(case):
        return "", Part(reasons={"gpudirect": "off: no RDMA adapters on the PCI bus"})
    if not (obstacle := _obstacle(case)):
        why = "EFA works with DMA-BUF only" if _efa(case) else "open modules on a kernel from 5.12 on need no peermem"
        return "dma-buf", Part(reasons={"gpudirect": why})
    if not _efa(case):
        return "peermem", _peermem(case, f"{obstacle} know no DMA-BUF")
    objection = verdict(
        "warning",
        EFA,
        where="rdma",
        expected="open kernel modules on a kernel from 5.12 on, as EFA adapters work with DMA-BUF only",
        found=obstacle,
        cure="choose the open flavor; until then adapters copy through the host's memory",
    )
    return "", Part(reasons={"gpudirect": f"off: {obstacle}"}, verdicts=(objection,))


def _efa(case: Case) -> bool:
    return case.hardware.platform.startswith("aws-")


def _obstacle(case: Case) -> str:
    """Return what stands in the way of DMA-BUF; an unknown kernel counts as new: all systems' are."""
    if case.driver.flavor != "open":
        return "proprietary kernel modules"
    known = kernel_numbers(case.kernel)
    return f"modules on kernel {case.kernel}" if known and known[:2] < DMA_BUF_KERNEL else ""


def _peermem(case: Case, why: str) -> Part:
    reasons = {"gpudirect": why, "module nvidia_peermem": "the driver's side of ib_core's peer memory"}
    return Part(kernel_modules=("nvidia_peermem",), reasons=reasons, verdicts=tuple(_peermem_conflicts(case)))


def _no_driver(case: Case) -> Iterator[Verdict]:
    wished = case.wish.rdma not in (None, "off") and case.wish.driver is None
    if wished and case.hardware.gpus and (case.wish.rdma != "auto" or case.hardware.rdma_adapters or _efa(case)):
        yield verdict(
            "error",
            NEEDS_DRIVER,
            where="rdma",
            expected="a driver in the wish, whose modules tell how adapters reach GPU memory",
            found="none",
            cure="name the driver, or set rdma to off",
        )


def _no_dma_buf(case: Case) -> Iterator[Verdict]:
    if obstacle := _obstacle(case):
        yield verdict(
            "error",
            DMA_BUF,
            where="rdma",
            expected="open kernel modules on a kernel from 5.12 on for DMA-BUF",
            found=obstacle,
            cure="choose the open flavor, or set rdma to auto",
        )


def _brings_peer_memory(case: Case) -> bool:
    """Tell whether the network stack is one of NVIDIA's: named by its release, or chosen by the role."""
    if case.wish.rdma_stack is None:
        return bool(re.search(r"[0-9]", case.wish.ofed or ""))
    row, _ = chosen_ofed(case, needs_peer_memory=True)
    return row is not None and row.kind != "inbox"


def _peermem_conflicts(case: Case) -> Iterator[Verdict]:
    if _efa(case):
        yield verdict(
            "error",
            EFA,
            where="rdma",
            expected=f"DMA-BUF on {case.hardware.platform}, whose EFA adapters know no peer memory",
            found="peermem",
            cure="set rdma to auto",
        )
    elif case.system.family != "ubuntu" and not _brings_peer_memory(case):
        yield verdict(
            "warning",
            PEERMEM,
            where="rdma",
            expected="an ib_core with peer memory, which DOCA-OFED and Ubuntu's kernels bring",
            found=f"{case.wish.ofed or 'no OFED'} on {case.system.release}",
            cure="install an OFED first and name it under ofed, or choose the open flavor for DMA-BUF",
        )
