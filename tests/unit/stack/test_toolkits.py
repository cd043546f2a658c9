"""Names of toolkit packages, and what an installation must not do to the driver."""

from __future__ import annotations

import pytest

from gpufleet.stack.driver_guard import Change, forbidden, is_userspace
from gpufleet.stack.toolkits import belongs, leftovers, patterns, toolkit_of


@pytest.mark.parametrize(
    "package",
    [
        "cuda", "cuda-12-9", "cuda-runtime-12-9", "cuda-drivers", "cuda-drivers-580", "nvidia-open", "nvidia-open-580",
        "nvidia-driver", "nvidia-driver-cuda", "nvidia-driver-580-open", "nvidia-dkms-580", "nvidia-kernel-dkms",
        "nvidia-open-kernel-dkms", "kmod-nvidia-open-dkms", "nvidia-headless-580-server",
        "linux-modules-nvidia-580-server-generic", "nvidia-tesla-535-driver", "xserver-xorg-video-nvidia",
    ],
)  # fmt: skip
def test_driver_packages_never_come_along(package: str) -> None:
    change = Change(package, "", "590.48.01-1")
    assert forbidden([change]) == [change]


@pytest.mark.parametrize(
    "package",
    ["libcuda1", "nvidia-utils-580", "nvidia-firmware-580-580.95.05", "libnvidia-compute",
      "libnvidia-compute-580", "libnvidia-ml1", "nvidia-smi", "nvidia-persistenced",
     "nvidia-fabricmanager", "nvidia-fabric-manager", "nvidia-imex-570", "libnvsdm"],
)  # fmt: skip
def test_the_drivers_libraries_may_come_but_not_change(package: str) -> None:
    assert is_userspace(package)
    new, changed, gone = Change(package, "", "2"), Change(package, "1", "2"), Change(package, "1", "")
    assert forbidden([new, changed, gone, Change(package, "1", "1")]) == sorted([changed, gone])


@pytest.mark.parametrize(
    "package",
    ["cuda-toolkit-12-9", "cuda-nvcc-12-9", "cuda-driver-dev-12-9", "libnvidia-ml-dev", "nvidia-cuda-toolkit",
     "nvidia-profiler", "libnvidia-container1", "nvidia-container-toolkit", "libnvjitlink-12-9", "cuda-compat-12-9"],
)  # fmt: skip
def test_other_packages_may_do_anything(package: str) -> None:
    assert forbidden([Change(package, "1", "2"), Change(package, "", "2"), Change(package, "1", "")]) == []


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (Change("cuda-drivers", "", "590"), "cuda-drivers 590 installed"),
        (Change("libcuda1", "580", "590"), "libcuda1 580 replaced by 590"),
        (Change("libcuda1", "580", ""), "libcuda1 580 removed"),
    ],
)
def test_changes_in_words(change: Change, text: str) -> None:
    assert str(change) == text


@pytest.mark.parametrize(
    ("package", "toolkit"),
    [("cuda-toolkit-12-9", "12.9"), ("cuda-compat-13-0", "13.0"), ("cuda-nvcc-12-9", None), ("cuda-toolkit", None)],
)
def test_toolkit_of(package: str, toolkit: str | None) -> None:
    assert toolkit_of(package) == toolkit


@pytest.mark.parametrize(
    ("package", "is_part"),
    [
        ("cuda-nvcc-12-9", True), ("cuda-cudart-dev-12-9", True), ("cuda-toolkit-12-9-config-common", True),
        ("libcublas-12-9", True), ("cuda-nvcc-12-8", False), ("cuda-toolkit-12-config-common", False),
        ("something-2-12-90", False),
    ],
)  # fmt: skip
def test_belongs(package: str, is_part: bool) -> None:
    assert belongs(package, ["12.9", "13.0"]) is is_part


def test_patterns() -> None:
    assert patterns(["12.9"]) == ["*-12-9", "*-12-9-config-common"]


CONFIGS = ["cuda-toolkit-12-8-config-common", "cuda-toolkit-12-9-config-common", "cuda-toolkit-13-0-config-common"]
SHARED = ["cuda-toolkit-12-config-common", "cuda-toolkit-13-config-common", "cuda-toolkit-config-common"]


@pytest.mark.parametrize(
    ("removed", "expected"),
    [
        (CONFIGS[1:2], []),
        (CONFIGS[:2], ["cuda-toolkit-12-config-common"]),
        (CONFIGS[2:], ["cuda-toolkit-13-config-common"]),
        (CONFIGS, SHARED),
    ],
    ids=["another of its major stays", "the major goes", "the other major goes", "all go"],
)
def test_leftovers(removed: list[str], expected: list[str]) -> None:
    assert leftovers(removed, [*CONFIGS, *SHARED]) == expected
