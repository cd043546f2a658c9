"""Plans of the role cuda: on every family, for hosts in every state that it knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from gpufleet.facts.sources import SourcesFiles
from gpufleet.facts.transactions import InstallChanges
from gpufleet.stack.driver_guard import Change
from roles.cuda.deploy import cuda
from tests.support.cuda_world import DISTRIBUTION, CudaWorld, cuda_plan
from tests.support.driver_facts import without_noops
from tests.support.plans import assert_plan

TWO = {"toolkits": ["12.9", "13.0"], "default": "12.9", "source": "nvidia"}
ONE = {"toolkits": ["13.0"], "source": "nvidia"}
UBUNTU = "Types: deb\nURIs: http://archive:3142/ubuntu\nSuites: noble\nComponents: main universe multiverse\n"
GPUS = ("2330",) * 8
FAMILIES = {"ubuntu": "ubuntu-24.04", "debian": "debian-12", "el": "el-9"}


def world(release: str, **given: Any) -> CudaWorld:
    return CudaWorld(**{"is_el": release.startswith("el"), **given})


def after(release: str, options: Mapping[str, Any]) -> CudaWorld:
    """A host that these options were deployed to."""
    found = world(release)
    cuda_plan(cuda, found, release, {"cuda": options})
    return found


@pytest.mark.parametrize("family", FAMILIES)
def test_fresh(family: str) -> None:
    release = FAMILIES[family]
    assert_plan("cuda", f"{family}_fresh", cuda_plan(cuda, world(release), release, {"cuda": TWO}))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_second_run_has_nothing_to_do(family: str) -> None:
    release = FAMILIES[family]
    found = after(release, TWO)
    assert without_noops(cuda_plan(cuda, found, release, {"cuda": TWO})) == ""


@pytest.mark.parametrize("family", FAMILIES)
def test_a_toolkit_goes(family: str) -> None:
    release = FAMILIES[family]
    found = after(release, TWO)
    text = without_noops(cuda_plan(cuda, found, release, {"cuda": ONE}))
    assert_plan("cuda", f"{family}_one_goes", text)
    assert without_noops(cuda_plan(cuda, found, release, {"cuda": ONE})) == ""
    assert [name for name in found.installed if "12-9" in name] == []


@pytest.mark.parametrize("family", FAMILIES)
def test_all_go(family: str) -> None:
    release = FAMILIES[family]
    found = after(release, TWO)
    assert_plan("cuda", f"{family}_all_go", without_noops(cuda_plan(cuda, found, release, {"cuda": {}})))
    assert found.installed == {}
    assert cuda_plan(cuda, found, release, {"cuda": {}}) == (
        "CUDA | Leave a host without CUDA alone\n     nothing to do: no toolkits are wanted\n"
    )


def test_a_toolkit_that_somebody_else_installed_stays() -> None:
    found = world("ubuntu-24.04", installed={"cuda-toolkit-12-4": "12.4.1-1", "cuda-nvcc-12-4": "12.4.131-1"})
    cuda_plan(cuda, found, "ubuntu-24.04", {"cuda": TWO})
    cuda_plan(cuda, found, "ubuntu-24.04", {"cuda": ONE})
    assert [name for name in found.installed if "12-4" in name] == ["cuda-toolkit-12-4", "cuda-nvcc-12-4"]


@pytest.mark.parametrize("family", ["ubuntu", "el"])
def test_driver_libraries_of_a_newer_toolkit(family: str) -> None:
    """On a data-center GPU with an older driver they come before the driver's own, and go again."""
    release, stack = FAMILIES[family], {"driver": "570.195.03", "source": "nvidia"}
    found = world(release)
    newer = {"stack": stack, "cuda": {**ONE, "compat": True}}
    assert_plan("cuda", f"{family}_compat", without_noops(cuda_plan(cuda, found, release, newer, gpus=GPUS)))
    assert without_noops(cuda_plan(cuda, found, release, newer, gpus=GPUS)) == ""
    plain = {"stack": {**stack, "driver": "580.105.08"}, "cuda": ONE}
    text = without_noops(cuda_plan(cuda, found, release, plain, gpus=GPUS))
    assert_plan("cuda", f"{family}_compat_goes", text)
    assert [name for name in found.installed if "compat" in name] == []


def test_the_distributions_own() -> None:
    found = world("debian-13", own=True)
    text = cuda_plan(cuda, found, "debian-13", {"cuda": {"toolkits": ["12.4"]}})
    assert_plan("cuda", "distribution", text)
    assert without_noops(cuda_plan(cuda, found, "debian-13", {"cuda": {"toolkits": ["12.4"]}})) == ""


def test_ubuntus_own_needs_none_of_debians_components(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DISTRIBUTION, "nvidia-cuda-toolkit", "12.0.140~12.0.1-4build4")
    found = world("ubuntu-24.04", own=True)
    sources = {SourcesFiles: {"/etc/apt/sources.list.d/ubuntu.sources": UBUNTU}}
    data = {"cuda": {"toolkits": ["12.0"], "source": "distribution"}}
    text = cuda_plan(cuda, found, "ubuntu-24.04", data, changes=sources)
    assert_plan("cuda", "distribution_ubuntu", text)
    assert without_noops(cuda_plan(cuda, found, "ubuntu-24.04", data, changes=sources)) == ""


@pytest.mark.parametrize(
    ("case", "data", "changes"),
    [
        ("unknown_toolkit", {"cuda": {"toolkits": ["13.9"], "source": "nvidia"}}, {}),
        (
            "driver_would_come",
            {"cuda": ONE},
            {
                InstallChanges: lambda packages: [
                    Change("cuda-toolkit-13-0", "", "13.0.2-1"),
                    Change("cuda-drivers", "", "590.48.01-1"),
                    Change("libnvidia-compute", "580.95.05-1", "590.48.01-1"),
                ]
            },
        ),
        (
            "mirror",
            {"cuda": ONE, "stack": {"repositories": {"cuda": {"base_url": "https://mirror.example.org/nvidia"}}}},
            {},
        ),
    ],
)
def test_otherwise(case: str, data: Mapping[str, Any], changes: Mapping[Any, Callable[..., Any]]) -> None:
    release = "ubuntu-24.04"
    assert_plan("cuda", case, without_noops(cuda_plan(cuda, world(release), release, data, changes)))
