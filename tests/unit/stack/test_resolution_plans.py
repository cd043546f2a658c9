"""The exact resolution of every cell that the matrix allows, kept as text: one file for each system.

tests/plans/stack/<system>.txt has a paragraph for each driver (source, release of the branch, flavor, profile) of a
host with eight H100s and four NVSwitches, and the whole stack on some of them; machines.txt has other machines, without
the names to be removed, which the systems' files show. The releases are fixed here, as the newest of a branch moves
with the matrix. `GPUFLEET_UPDATE_PLANS=1` rewrites the files.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from gpufleet.stack.machine import Hardware, System
from gpufleet.stack.resolve import resolve
from gpufleet.stack.wish import Wish
from tests.support.plans import assert_plan
from tests.support.resolutions import text_of
from tests.unit.stack.wishes import (
    B200,
    DEBIAN_12,
    DEBIAN_13,
    EL_9,
    EL_10,
    GB200,
    GH200,
    HGX,
    L40S,
    MATRIX,
    UBUNTU,
    V100,
)

SYSTEMS = {
    "ubuntu-22.04": System("ubuntu", "22.04"),
    "ubuntu-24.04": UBUNTU,
    "debian-12": DEBIAN_12,
    "debian-13": DEBIAN_13,
    "el-9": EL_9,
    "el-10": EL_10,
}
KERNELS = {
    "ubuntu-22.04": "5.15.0-160-generic",
    "ubuntu-24.04": "6.8.0-60-generic",
    "debian-12": "6.1.0-50-amd64",
    "debian-13": "6.12.107+deb13-amd64",
    "el-9": "5.14.0-570.12.1.el9_6.x86_64",
    "el-10": "6.12.0-55.9.1.el10_0.x86_64",
}
RELEASES = ("535.261.03", "535.274.02", "550.163.01", "570.195.03", "580.105.08", "590.48.01", "595.58.03")
#: What the distributions carry: Debian 13 has 535 under the names of the Tesla branch.
OWN = {"debian-12": ("535.261.03",), "debian-13": ("535.274.02", "550.163.01")}
WHOLE = {
    "fabric_manager": "auto",
    "imex": "auto",
    "dcgm": "4.4.1",
    "gdrcopy": "2.5",
    "rdma": "auto",
    "nccl": "2.28.3",
}
MACHINES: dict[str, tuple[Hardware, System, dict[str, Any]]] = {
    "8 x B200, NVLink5": (
        Hardware(gpus=(B200,) * 8, nvlink5=True, rdma_adapters=8),
        UBUNTU,
        {"driver": "580.105.08", "cuda": ("12.9", "13.0")},
    ),
    "8 x B200, NVLink5, on EL 9 with 570": (
        Hardware(gpus=(B200,) * 8, nvlink5=True, rdma_adapters=8),
        EL_9,
        {"driver": "570.195.03", "cuda": ("12.9",)},
    ),
    "compute tray of GB200": (
        Hardware(gpus=(GB200,) * 4, nvlink5=True, rdma_adapters=4),
        replace(UBUNTU, arch="aarch64"),
        {"driver": "580.105.08", "cuda": ("13.0",)},
    ),
    "compute tray of GB200, IMEX left to the DRA driver": (
        Hardware(gpus=(GB200,) * 4, nvlink5=True, rdma_adapters=4),
        replace(UBUNTU, arch="aarch64"),
        {"driver": "580.105.08", "imex": "dra"},
    ),
    "GH200": (Hardware(gpus=(GH200,)), replace(UBUNTU, arch="aarch64"), {"driver": "580.105.08"}),
    "8 x V100": (Hardware(gpus=(V100,) * 8), UBUNTU, {"driver": "580.105.08", "cuda": ("12.9",)}),
    "4 x L40S": (Hardware(gpus=(L40S,) * 4), DEBIAN_12, {"driver": "580.105.08", "cuda": ("12.9", "13.0")}),
    "4 x L40S, Debian's own packages": (
        Hardware(gpus=(L40S,) * 4),
        DEBIAN_13,
        {"driver": "550.163.01", "source": "distribution", "cuda": ("12.4",), "nccl": "auto"},
    ),
    "4 x L40S, cuda-compat": (
        Hardware(gpus=(L40S,) * 4),
        EL_9,
        {"driver": "570.195.03", "cuda": ("12.9", "13.0"), "cuda_compat": True},
    ),
    "Azure ND v4": (
        Hardware(gpus=("20b0",) * 8, nvswitches=6, rdma_adapters=8, platform="azure-nd-v4"),
        UBUNTU,
        {"driver": "580.105.08", "cuda": ("13.0",)},
    ),
    "Azure ND v5": (replace(HGX, platform="azure-nd-v5"), UBUNTU, {"driver": "580.105.08", "cuda": ("13.0",)}),
    "AWS p5": (
        replace(HGX, platform="aws-p5", rdma_adapters=0),
        UBUNTU,
        {"driver": "580.105.08", "cuda": ("13.0",)},
    ),
    "GCP a3-high": (
        replace(HGX, platform="gcp-a3-high", nvswitches=0, rdma_adapters=0),
        UBUNTU,
        {"driver": "580.105.08", "cuda": ("13.0",)},
    ),
    "no GPU": (Hardware(), UBUNTU, {"driver": "580.105.08"}),
}


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_cell_of_a_system(name: str) -> None:
    assert_plan("stack", name, "\n".join([*_cells(name), *_whole(name)]))


def test_other_machines() -> None:
    paragraphs = []
    for title, (hardware, system, given) in MACHINES.items():
        wish = {"source": "nvidia", **WHOLE, **given}
        lines = _text(hardware, system, wish).splitlines(keepends=True)
        text = "".join(line for line in lines if not line.startswith("  removed: "))
        paragraphs.append(f"{title}: {system.release} {system.arch}\n{text}")
    assert_plan("stack", "machines", "\n".join(paragraphs))


def _cells(name: str) -> Iterator[str]:
    for source, release, flavor, profile in product(
        ("nvidia", "distribution"), RELEASES, ("open", "proprietary"), ("compute", "full")
    ):
        if not _carried(name, source, release):
            continue
        branch = int(release.partition(".")[0])
        if MATRIX.scheme(name, source, branch, flavor, profile):  # type: ignore[arg-type]  # literals of the product
            wish = {"driver": release, "source": source, "flavor": flavor, "profile": profile, "fabric_manager": "auto"}
            # NVIDIA's repository has no fabric manager for Debian 13's own branches.
            switches = 0 if (name, source) == ("debian-13", "distribution") else HGX.nvswitches
            text = _text(replace(HGX, kernel=KERNELS[name], nvswitches=switches), SYSTEMS[name], wish)
            yield f"{release} {flavor} {profile} from {source}\n{text}"


def _carried(name: str, source: str, release: str) -> bool:
    if source == "distribution" and name in OWN:
        return release in OWN[name]
    return release != "535.274.02"


def _whole(name: str) -> Iterator[str]:
    for release, cuda in (("570.195.03", ("12.9",)), ("580.105.08", ("12.9", "13.0")), ("590.48.01", ("13.0",))):
        wish = {"driver": release, "source": "nvidia", **WHOLE, "cuda": cuda}
        if name == "debian-13":  # NVIDIA builds no CUDA 12 for it
            wish["cuda"] = ("13.0",)
        if MATRIX.scheme(name, "nvidia", int(release[:3]), "open", "compute"):
            text = _text(replace(HGX, kernel=KERNELS[name]), SYSTEMS[name], wish)
            yield f"{release} with everything that goes with it\n{text}"


def _text(hardware: Hardware, system: System, wish: dict[str, Any]) -> str:
    return text_of(resolve(hardware, system, Wish.model_validate(wish), MATRIX))
