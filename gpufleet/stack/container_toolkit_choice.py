"""NVIDIA's container toolkit: one release of all its packages, which suits driver and containerd."""

from __future__ import annotations

from gpufleet.stack.case import Case
from gpufleet.stack.containerd_choice import AUTO, wished_version
from gpufleet.stack.matrix.software_rows import Toolkit
from gpufleet.stack.part import Part
from gpufleet.stack.resolution import Package
from gpufleet.stack.rules import TOOLKIT, WRITTEN, verdict
from gpufleet.stack.verdicts import Verdict
from gpufleet.stack.versions import newest, numbers

#: Every package of a release, by the same name and at the same version for apt and dnf, each after what it needs.
#: Source: NVIDIA Container Toolkit release notes, "Included Packages", and its packaging/debian/control, 2026-11-23.
PACKAGES = (
    "libnvidia-container1",
    "libnvidia-container-tools",
    "nvidia-container-toolkit-base",
    "nvidia-container-toolkit",
)
#: First release whose package brings units that write the CDI specification (release notes of 1.18.0).
REFRESHES_SINCE = (1, 18)


def container_toolkit(case: Case) -> Part:
    """Choose the toolkit's packages, on hosts with GPUs where a role installs it."""
    if not case.wish.toolkit_installed:
        return Part(verdicts=(_nobody_chooses(),) if case.wish.toolkit == AUTO else ())
    if not case.hardware.gpus:
        return Part(reasons={"toolkit": "the host has no NVIDIA GPU"})
    version = wished_toolkit(case)
    if not version:
        return Part(verdicts=(_none_suits(case),))
    why = "as wished" if case.wish.toolkit == version else "the newest release for this driver and containerd"
    return Part(packages=tuple(Package("toolkit", name, version, why) for name in PACKAGES))


def wished_toolkit(case: Case) -> str:
    """Return the wished release, or what `auto` means here; empty where there is none."""
    if case.wish.toolkit not in (AUTO, None) or not case.wish.toolkit_installed:
        return case.wish.toolkit or ""
    return newest(row.version for row in case.matrix.toolkit if _suits(case, row)) or ""


def refreshes(version: str) -> bool:
    """Tell whether the packages of a release bring units that write the CDI specification."""
    return numbers(version) >= REFRESHES_SINCE


def _suits(case: Case, row: Toolkit) -> bool:
    """Tell whether driver and containerd are new enough; what is unreadable or unknown is judged elsewhere."""
    if 0 < case.branch < row.minimum_branch:
        return False
    try:
        containerd = numbers(wished_version(case).removeprefix("v"))
    except ValueError:
        return True
    return containerd[:2] >= numbers(row.minimum_containerd)


def _none_suits(case: Case) -> Verdict:
    rows = case.matrix.toolkit
    asked = ", ".join(f"{row.version} asks for containerd {row.minimum_containerd}" for row in rows)
    return verdict(
        "error",
        TOOLKIT,
        where="toolkit",
        expected=f"a release for this driver and containerd: {asked or 'none is known'}",
        found=f"driver branch {case.branch or 'unknown'}, containerd {wished_version(case) or 'unknown'}",
        cure="choose another containerd or driver, or add rows of your own beside the inventory",
    )


def _nobody_chooses() -> Verdict:
    return verdict(
        "error",
        WRITTEN,
        where="toolkit",
        expected="a version such as 1.19.1, as no role installs the container toolkit here",
        found="'auto'",
        cure="write the version that is there, or give the host the key container_toolkit",
    )
