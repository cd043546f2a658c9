"""Fabric manager and what goes with it: needed where a host has NVSwitches of its own, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from gpufleet.stack.case import Case
from gpufleet.stack.companion_names import companion_packages, offered, wanted_version
from gpufleet.stack.machine import Platform
from gpufleet.stack.matrix.driver_rows import Companion
from gpufleet.stack.part import Part
from gpufleet.stack.resolution import Service
from gpufleet.stack.rules import FABRIC, FABRIC_NAMES, HOST_SWITCHES, NEEDS_DRIVER, TRAY, verdict
from gpufleet.stack.verdicts import Verdict

Need = Literal["nvswitch", "nvlink5"]

#: The subnet manager and the libraries first: fabric manager's start script looks for them.
_ORDER: tuple[Companion, ...] = ("nvlsm", "nvsdm", "nscq", "fabric_manager")
#: Platforms whose virtual machines see GPUs alone, as the switches belong to the machine below.
HOST_OWNED: frozenset[Platform] = frozenset({"gcp-a3-high", "gcp-a3-mega", "gcp-a3-ultra", "gcp-a4"})
#: Management ports of NVLink5 switches are InfiniBand devices: nothing answers before these two are loaded.
_NVLINK5_MODULES = {
    "mlx5_core": "drives the management ports of the NVLink5 switches",
    "ib_umad": "carries the subnet manager's packets, so it comes before fabric manager",
}


def need(case: Case) -> tuple[Need | None, str]:
    """Return what fabric manager has to manage on this host, and the reason for the answer."""
    if case.tray:
        return None, "compute trays of GB200 and GB300 have their switches in trays of their own, which run it"
    if case.hardware.platform in HOST_OWNED:
        return None, f"on {case.hardware.platform} the machine below owns the NVSwitches"
    if case.hardware.nvlink5:
        return "nvlink5", "NVLink5 switches behind management ports (SW_MNG in their VPD)"
    if case.hardware.nvswitches:
        return "nvswitch", f"{case.hardware.nvswitches} NVSwitches on the PCI bus"
    return None, "no NVSwitch on the PCI bus"


def fabric(case: Case) -> Part:
    """Choose fabric manager's packages, unit and modules, or say why there are none."""
    wish, (needed, why) = case.wish.fabric_manager, need(case)
    if not case.hardware.gpus:
        return Part()
    if wish in (None, "off"):
        return Part(verdicts=tuple(_missing(case, needed, why)))
    if not needed and wish == "auto":
        return Part(reasons={"fabric_manager": f"not installed: {why}"})
    objections = tuple(_objections(case, needed, why))
    if not case.has_driver or any(objection.level == "error" for objection in objections):
        return Part(verdicts=objections)
    return _installed(case, needed or "nvswitch", why if needed else "fabric_manager is on", objections)


def _installed(case: Case, needed: Need, why: str, objections: tuple[Verdict, ...]) -> Part:
    packages, units, absent = companion_packages(case, _ORDER, needed, why)
    modules = _NVLINK5_MODULES if needed == "nvlink5" else {}
    if "fabric_manager" in absent or not offered(case):
        return Part(verdicts=(*objections, _not_packaged(case)))
    return Part(
        packages=packages,
        services=tuple(Service(unit, enabled=True, reason=why) for unit in units),
        kernel_modules=tuple(modules),
        reasons={f"module {name}": reason for name, reason in modules.items()},
        verdicts=objections,
    )


def _objections(case: Case, needed: Need | None, why: str) -> Iterator[Verdict]:
    wish = case.wish.fabric_manager or ""
    if case.wish.driver is None:
        expected = "a driver in the wish, whose version fabric manager takes"
        cure = "name the driver, or set fabric_manager to off"
        yield verdict("error", NEEDS_DRIVER, where="fabric_manager", expected=expected, found="none", cure=cure)
    if wish not in ("auto", "on"):
        yield from wanted_version(case, "fabric_manager", wish)
    if case.tray:
        expected = "none on a compute tray of GB200 or GB300, whose switch trays run it"
        cure = "set fabric_manager to auto or off"
        yield verdict("error", TRAY, where="fabric_manager", expected=expected, found=wish or "''", cure=cure)
    elif not needed:
        rule = HOST_SWITCHES if case.hardware.platform in HOST_OWNED else FABRIC
        expected = "NVSwitches that the host itself manages, without which the daemon ends at once"
        cure = "set fabric_manager to auto"
        yield verdict("warning", rule, where="fabric_manager", expected=expected, found=why, cure=cure)


def _missing(case: Case, needed: Need | None, why: str) -> Iterator[Verdict]:
    if needed and case.has_driver:
        yield verdict(
            "warning",
            FABRIC,
            where="fabric_manager",
            expected="fabric manager, without which CUDA programs end with error 802 (system not yet initialized)",
            found=f"{case.wish.fabric_manager or 'no wish for it'} in spite of {why}",
            cure="set fabric_manager to auto",
        )


def _not_packaged(case: Case) -> Verdict:
    return verdict(
        "error",
        FABRIC_NAMES,
        where="fabric_manager",
        expected=f"a branch that NVIDIA's repository for {case.system.release} has, fabric manager included",
        found=f"branch {case.branch} on {case.system.arch}",
        cure="choose such a branch, or set fabric_manager to off",
    )
