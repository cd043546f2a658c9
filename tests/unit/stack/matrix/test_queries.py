"""Questions that the matrix answers by itself."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpufleet.stack.matrix import ended, load
from gpufleet.stack.matrix.rows import Branches

MATRIX = load()

PACKAGES: dict[str, tuple[tuple[Any, ...], tuple[str, ...] | None]] = {
    "Ubuntu 570": (("ubuntu-24.04", "nvidia", 570, "open", "compute"),
                   ("libnvidia-compute-{branch}", "nvidia-utils-{branch}", "nvidia-dkms-{branch}-open")),
    "Ubuntu 580 keeps the suffix": (("ubuntu-24.04", "nvidia", 580, "proprietary", "full"), ("cuda-drivers-{branch}",)),
    "Ubuntu 590 drops it": (("ubuntu-24.04", "nvidia", 590, "open", "compute"),
                            ("libnvidia-compute", "nvidia-utils", "nvidia-dkms-open")),
    "Ubuntu's archive": (("ubuntu-22.04", "distribution", 580, "open", "compute"),
                         ("nvidia-headless-{branch}-server-open", "nvidia-headless-no-dkms-{branch}-server-open",
                          "nvidia-dkms-{branch}-server-open", "nvidia-utils-{branch}-server")),
    "Ubuntu's archive has no 610": (("ubuntu-22.04", "distribution", 610, "open", "compute"), None),
    "precompiled": (("ubuntu-22.04", "distribution", 580, "open", "compute", "precompiled"),
                    ("linux-modules-nvidia-{branch}-server-open-{kernel}",
                     "nvidia-headless-no-dkms-{branch}-server-open", "nvidia-utils-{branch}-server")),
    "Debian 12, NVIDIA": (("debian-12", "nvidia", 580, "open", "compute"),
                          ("nvidia-driver-cuda", "nvidia-kernel-open-dkms")),
    "Debian 12's own": (("debian-12", "distribution", 535, "proprietary", "compute"),
                        ("libcuda1", "libnvidia-cfg1", "libnvidia-ml1", "nvidia-smi", "nvidia-kernel-dkms",
                         "nvidia-kernel-support")),
    "Debian 12 has no 550": (("debian-12", "distribution", 550, "open", "compute"), None),
    "Debian 13's own 550": (("debian-13", "distribution", 550, "open", "compute"),
                            ("libcuda1", "libnvidia-cfg1", "libnvidia-ml1", "nvidia-smi", "nvidia-open-kernel-dkms",
                             "nvidia-open-kernel-support")),
    "Debian 13's own 535": (("debian-13", "distribution", 535, "proprietary", "compute"),
                            ("libnvidia-tesla-535-cuda1", "libnvidia-tesla-535-cfg1", "libnvidia-tesla-535-ml1",
                             "nvidia-tesla-535-smi", "nvidia-tesla-535-kernel-dkms",
                             "nvidia-tesla-535-kernel-support")),
    "EL 9": (("el-9", "nvidia", 580, "proprietary", "compute"), ("nvidia-driver-cuda", "kmod-nvidia-latest-dkms")),
    "EL 10": (("el-10", "nvidia", 590, "open", "full"), ("nvidia-open",)),
    "EL 10 begins with 580": (("el-10", "nvidia", 570, "open", "full"), None),
}  # fmt: skip


@pytest.mark.parametrize(("cell", "packages"), PACKAGES.values(), ids=PACKAGES)
def test_scheme(cell: tuple[Any, ...], packages: tuple[str, ...] | None) -> None:
    row = MATRIX.scheme(*cell)
    assert (row.packages if row else None) == packages


COMPANIONS: list[tuple[tuple[Any, ...], str | None]] = [
    (("fabric_manager", "deb", 570), "nvidia-fabricmanager-{branch}"),
    (("fabric_manager", "deb", 580), "nvidia-fabricmanager"),
    (("fabric_manager", "rpm", 570), "nvidia-fabric-manager"),
    (("fabric_manager", "rpm", 580), "nvidia-fabricmanager"),
    (("nvsdm", "deb", 535), None),
    (("nvsdm", "rpm", 570), "libnvsdm-{branch}"),
    (("nvsdm", "deb", 590), "libnvsdm"),
    (("nvsdm", "deb", 590, "aarch64"), None),
    (("imex", "deb", 535), None),
    (("imex", "rpm", 590, "aarch64"), "nvidia-imex"),
]


@pytest.mark.parametrize(("question", "name"), COMPANIONS, ids=str)
def test_companion(question: tuple[Any, ...], name: str | None) -> None:
    row = MATRIX.companion(*question)
    assert (row.name if row else None) == name


@pytest.mark.parametrize(
    ("version", "name"),
    [("535.261.03", "nvidia-open"), ("570.133.20", "nvidia-open"), ("570.172.08", "nvidia"), ("590.48.01", "nvidia")],
)
def test_dkms_renamed_the_open_module_within_branch_570(version: str, name: str) -> None:
    row = MATRIX.scheme("el-9", "nvidia", int(version[:3]), "open", "compute")
    assert row
    assert row.dkms_module(version) == name


def test_precompiled_modules_have_no_name_in_dkms() -> None:
    row = MATRIX.scheme("ubuntu-24.04", "distribution", 580, "open", "compute", "precompiled")
    assert row
    assert row.dkms_module("580.95.05") == ""


@pytest.mark.parametrize(
    ("version", "pinning"),
    [
        ("535.261.03", ""),
        ("570.195.03", "nvidia-driver-pinning-{branch}"),
        ("580.95.05", "nvidia-driver-pinning-{branch}"),
        ("580.105.08", "nvidia-driver-pinning-{version}"),
        ("580.999.99", "nvidia-driver-pinning-{branch}"),
    ],
)
def test_pinning(version: str, pinning: str) -> None:
    row = MATRIX.scheme("ubuntu-24.04", "nvidia", int(version[:3]), "open", "compute")
    assert row
    assert MATRIX.pinning(row, version) == pinning


@pytest.mark.parametrize(
    ("toolkit", "driver"), [("13.0", "580.65.06"), ("13.0.2", "580.65.06"), ("12.9", "575.51.03"), ("9.2", None)]
)
def test_cuda(toolkit: str, driver: str | None) -> None:
    row = MATRIX.cuda_toolkit(toolkit)
    assert (row.minimum_driver if row else None) == driver


@pytest.mark.parametrize(("major", "floor", "end"), [(11, 450, 525), (12, 525, 580), (13, 580, None)])
def test_floor_of_a_cuda_major(major: int, floor: int, end: int | None) -> None:
    row = MATRIX.cuda_major(major)
    assert row
    assert (row.floor, row.window_end) == (floor, end)


def test_nccl_builds() -> None:
    assert [row.package_version for row in MATRIX.nccl_builds("2.28.3")] == [
        "2.28.3-1+cuda12.9",
        "2.28.3-1+cuda13.0",
    ]
    assert MATRIX.nccl_builds("1.0") == ()


def test_newest_release() -> None:
    newest = MATRIX.newest_release(570)
    assert newest
    assert newest.version == "570.211.01"
    assert MATRIX.newest_release(520) is None


@pytest.mark.parametrize(
    ("number", "day", "over"),
    [(535, "2026-06-30", False), (535, "2026-07-01", True), (580, "2028-06-30", False), (615, "2099-01-01", False)],
)
def test_end_of_life(number: int, day: str, over: bool) -> None:
    row = MATRIX.branch(number)
    assert row
    assert ended(row.end_of_life, datetime.date.fromisoformat(day)) is over


@pytest.mark.parametrize(("series", "oldest"), [("2.1", "2.1.5"), ("1.7", "1.7.28"), ("1.6", None)])
def test_oldest_containerd_for_a_kubelet(series: str, oldest: str | None) -> None:
    row = MATRIX.kubernetes_minor("1.35.3")
    assert row
    assert row.containerd_of(series) == oldest
    assert row.minimum_containerd == "1.7.28"


@pytest.mark.parametrize(
    ("lookup", "known", "unknown"),
    [
        ("containerd_series", "2.1.5", "9.9.9"),
        ("toolkit_release", "1.18.0", "0.1"),
        ("gdrcopy_release", "2.5", "0.1"),
        ("dcgm_release", "4.4.1", "9.9"),
        ("kubernetes_minor", "1.34.2", "9.9.9"),
        ("release", "580.95.05", "999.1"),
        ("branch_of", "580.95.05-1", "999.1"),
        ("generation_of", "2330", "0fff"),
        ("product", "2330", "0fff"),
    ],
)
def test_what_no_row_covers_is_none(lookup: str, known: str, unknown: str) -> None:
    assert getattr(MATRIX, lookup)(known) is not None
    assert getattr(MATRIX, lookup)(unknown) is None


def test_kernels_for_a_release() -> None:
    assert [str(row.branches) for row in MATRIX.kernels_for("580.95.05", "debian-12")] == ["570-"]


@pytest.mark.parametrize(("text", "first", "last"), [("580", 580, 580), ("535-575", 535, 575), ("590-", 590, None)])
def test_branches_are_written_short(text: str, first: int, last: int | None) -> None:
    branches = Branches.parse(text)
    assert (branches.first, branches.last, str(branches)) == (first, last, text)


BRANCHES = st.builds(
    lambda first, length: Branches(first=first, last=None if length is None else first + length),
    st.integers(500, 600),
    st.none() | st.integers(0, 50),
)


@given(BRANCHES, BRANCHES)
def test_ranges_overlap_where_one_branch_is_in_both(one: Branches, other: Branches) -> None:
    shared = any(branch in one and branch in other for branch in range(500, 651))
    assert one.overlaps(other) == other.overlaps(one) == shared
