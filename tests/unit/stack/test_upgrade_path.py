"""From one driver to another: what moves together, in which order, and why a reboot."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from gpufleet.stack.machine import Hardware, System
from gpufleet.stack.upgrade_path import Path, upgrade_path
from tests.support.plans import assert_plan
from tests.unit.stack.wishes import (
    B200,
    DEBIAN_12,
    DEBIAN_13,
    DRIVER,
    EL_9,
    EL_10,
    GB200,
    H100,
    HARDWARE,
    HGX,
    MATRIX,
    SYSTEM,
    UBUNTU,
    V100,
)

ARM = System("ubuntu", "24.04", "aarch64")
PATHS: dict[str, tuple[str, str, Hardware, System]] = {
    "ubuntu_570_to_580": ("570.195.03", "580.105.08", HGX, UBUNTU),
    "ubuntu_580_to_590": ("580.105.08", "590.48.01", HGX, UBUNTU),
    "ubuntu_590_to_580": ("590.48.01", "580.105.08", HGX, UBUNTU),
    "ubuntu_b200_570_to_580": ("570.195.03", "580.105.08", Hardware(gpus=(B200,) * 8, nvlink5=True), UBUNTU),
    "ubuntu_gb200_570_to_580": ("570.195.03", "580.105.08", Hardware(gpus=(GB200,) * 4, nvlink5=True), ARM),
    "debian_12_570_to_590": ("570.195.03", "590.48.01", HGX, DEBIAN_12),
    "debian_13_535_to_550": ("535.274.02", "550.163.01", Hardware(gpus=(H100,)), DEBIAN_13),
    "el_9_570_to_580": ("570.195.03", "580.105.08", HGX, EL_9),
    "el_10_580_to_590": ("580.105.08", "590.48.01", HGX, EL_10),
    "v100_580_to_590": ("580.105.08", "590.48.01", Hardware(gpus=(V100,) * 8), UBUNTU),
}


@pytest.mark.parametrize("name", PATHS)
def test_a_path(name: str) -> None:
    before, after, hardware, system = PATHS[name]
    assert_plan("stack/upgrade-path", name, _text(upgrade_path(before, after, hardware, system, MATRIX)))


def test_nothing_to_do() -> None:
    path = upgrade_path("580.105.08", "580.105.08", HGX, UBUNTU, MATRIX)
    assert path == Path("580.105.08", "580.105.08")


@settings(max_examples=150)
@given(DRIVER, DRIVER, HARDWARE, SYSTEM)
def test_any_two_versions(before: str | None, after: str | None, hardware: Hardware, system: System) -> None:
    path = upgrade_path(before or "", after or "", hardware, system, MATRIX)
    assert path == upgrade_path(before or "", after or "", hardware, system, MATRIX)
    assert bool(path.steps) == bool(path.moves)
    assert not (path.steps and any(verdict.level == "error" for verdict in path.verdicts))


def _text(path: Path) -> str:
    lines = [f"{path.before} to {path.after}"]
    for move in path.moves:
        note = " (renamed)" if move.renamed else ""
        lines.append(f"{move.component}{note}: {', '.join(move.before) or 'none'} -> {', '.join(move.after) or 'none'}")
    lines += [f"{number}. {step.what}: {step.why}" for number, step in enumerate(path.steps, 1)]
    lines += [f"reboot: {reason}" for reason in path.reboots] or ["no reboot, once nothing uses the GPUs"] * bool(
        path.steps
    )
    lines += [f"{verdict.level}: {verdict.where}: expected {verdict.expected}, found {verdict.found}; {verdict.cure}"
              for verdict in path.verdicts]  # fmt: skip
    return "".join(f"{line}\n" for line in lines)
