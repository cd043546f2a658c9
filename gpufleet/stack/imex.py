"""IMEX, which shares GPU memory between the hosts of a multi-node NVLink domain: on, off, or left to the DRA driver."""

from __future__ import annotations

from collections.abc import Iterator

from gpufleet.stack.case import Case
from gpufleet.stack.companion_names import companion_packages, offered
from gpufleet.stack.part import Part
from gpufleet.stack.resolution import Service
from gpufleet.stack.rules import IMEX, IMEX_NAMES, NEEDS_DRIVER, verdict
from gpufleet.stack.verdicts import Verdict

_DOMAIN = "GB200 or GB300 compute tray: NVLink spans several hosts"
_DRA = "NVIDIA's DRA driver starts its own daemons and needs the package alone"


def imex(case: Case) -> Part:
    """Choose IMEX's package and whether its unit runs."""
    wish = case.wish.imex
    if wish in (None, "off") or not case.hardware.gpus:
        return Part()
    if wish == "auto" and not case.tray:
        return Part(reasons={"imex": "not installed: no multi-node NVLink"})
    objections = tuple(_objections(case))
    if not case.has_driver or any(objection.level == "error" for objection in objections):
        return Part(verdicts=objections)
    why = _DRA if wish == "dra" else _DOMAIN if case.tray else "imex is on"
    packages, units, _ = companion_packages(case, ("imex",), "multi-node", why)
    runs = wish != "dra"
    services = tuple(Service(unit, enabled=runs, masked=not runs, reason=why) for unit in units)
    return Part(packages=packages, services=services, verdicts=objections)


def creates_channel(case: Case) -> bool:
    """Tell whether the driver makes channel 0 itself: where the DRA driver makes channels, it must not."""
    return case.tray and case.wish.imex in ("auto", "on")


def _packaged(case: Case) -> bool:
    return offered(case) and case.matrix.companion("imex", case.packaging, case.branch, case.arch) is not None


def _objections(case: Case) -> Iterator[Verdict]:
    if case.wish.driver is None:
        expected, cure = "a driver in the wish, whose version IMEX takes", "name the driver, or set imex to off"
        yield verdict("error", NEEDS_DRIVER, where="imex", expected=expected, found="none", cure=cure)
    elif case.has_driver and not _packaged(case):
        expected = f"a branch that NVIDIA's repository for {case.system.release} has, IMEX included"
        found, cure = f"branch {case.branch} on {case.system.arch}", "choose such a branch, or set imex to off"
        yield verdict("error", IMEX_NAMES, where="imex", expected=expected, found=found, cure=cure)
    if not case.tray:
        expected = "a compute tray of GB200 or GB300, as IMEX serves multi-node NVLink only"
        found, cure = f"{case.wish.imex} on other hardware", "set imex to auto"
        yield verdict("warning", IMEX, where="imex", expected=expected, found=found, cure=cure)
