"""Plans of the role nccl: on every family, for two CUDA majors, platforms, and hosts that lose it again."""

from __future__ import annotations

from typing import Any

import pytest

from gpufleet.stack.machine import Platform
from roles.nccl.deploy import nccl
from tests.support.cuda_world import CudaWorld, cuda_plan
from tests.support.driver_facts import without_noops
from tests.support.plans import assert_plan

TOOLKITS = {"toolkits": ["12.9", "13.0"], "default": "12.9", "source": "nvidia"}
OWN: dict[str, Any] = {
    "version": "2.28.3",
    "settings": {"NCCL_IB_HCA": "=mlx5_0:1,mlx5_1:1"},
    "workarounds": {"NCCL_IB_QPS_PER_CONNECTION": 4},
    "extra": {"NCCL_SOME_FUTURE_OPTION": "a b"},
}
TESTS = {"url": "https://mirror.example.org/nccl-tests.tar.gz", "sha256": "ab" * 32}
FAMILIES = {"ubuntu": "ubuntu-24.04", "debian": "debian-12", "el": "el-9"}
PLATFORMS: tuple[Platform, ...] = ("azure-nd-v4", "azure-nd-v5", "aws-p5", "gcp-a3-high", "gcp-a3-mega", "gcp-a4")


def world(release: str, **given: Any) -> CudaWorld:
    return CudaWorld(**{"is_el": release.startswith("el"), **given})


def settings(**options: Any) -> dict[str, Any]:
    return {"cuda": TOOLKITS, "nccl": options}


@pytest.mark.parametrize("family", FAMILIES)
def test_two_majors(family: str) -> None:
    """One build is installed, the other lies beside its toolkit."""
    release = FAMILIES[family]
    found = world(release)
    assert_plan("nccl", f"{family}_fresh", cuda_plan(nccl, found, release, settings(**OWN)))
    assert without_noops(cuda_plan(nccl, found, release, settings(**OWN))) == ""


@pytest.mark.parametrize("family", FAMILIES)
def test_another_default_and_absent(family: str) -> None:
    release = FAMILIES[family]
    found = world(release)
    cuda_plan(nccl, found, release, settings(version="2.28.3"))
    other = {"cuda": {**TOOLKITS, "default": "13.0"}, "nccl": {"version": "2.28.3"}}
    assert_plan("nccl", f"{family}_other_major", without_noops(cuda_plan(nccl, found, release, other)))
    assert_plan("nccl", f"{family}_absent", without_noops(cuda_plan(nccl, found, release, settings(state="absent"))))
    assert ([name for name in found.installed if "nccl" in name], found.unpacked) == ([], [])
    assert without_noops(cuda_plan(nccl, found, release, settings(state="absent"))) == ""


@pytest.mark.parametrize("platform", PLATFORMS)
def test_settings_of_platforms(platform: Platform) -> None:
    text = cuda_plan(nccl, world("ubuntu-24.04"), "ubuntu-24.04", settings(version=None, pods=False), platform=platform)
    assert_plan("nccl", platform.replace("-", "_"), without_noops(text))


@pytest.mark.parametrize(
    ("case", "data"),
    [
        ("no_key", {}),
        ("third_major", settings(cuda="11.8")),
        (
            "profile_overridden",
            settings(version=None, pods=False, profile="aws-p5", settings={"NCCL_NET_PLUGIN": "none"}),
        ),
        ("no_pods", settings(version=None, pods=False)),
        ("tests", settings(version=None, pods=False, tests=TESTS)),
    ],
)
def test_otherwise(case: str, data: dict[str, Any]) -> None:
    release = "ubuntu-24.04"
    assert_plan("nccl", case, cuda_plan(nccl, world(release), release, data, platform="azure-nd-v5"))


def test_the_distributions_own() -> None:
    found = world("debian-13", own=True)
    data = {"nccl": {"settings": OWN["settings"]}}
    assert_plan("nccl", "distribution", cuda_plan(nccl, found, "debian-13", data))
    assert without_noops(cuda_plan(nccl, found, "debian-13", data)) == ""
