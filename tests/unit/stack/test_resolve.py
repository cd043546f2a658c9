"""What a wish resolves to, one decision at a time; whole resolutions are kept in tests/plans/stack/."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gpufleet.stack.machine import Hardware, System
from gpufleet.stack.resolution import DriverChoice, Resolution, Service
from gpufleet.stack.resolve import resolve
from gpufleet.stack.wish import Wish
from tests.unit.stack.wishes import B200, DEBIAN_12, DEBIAN_13, EL_9, EL_10, GB200, H100, HGX, MATRIX, UBUNTU, V100


def resolved(hardware: Hardware, system: System, **wish: Any) -> Resolution:
    found = resolve(hardware, system, Wish.model_validate({"source": "nvidia", **wish}), MATRIX)
    assert found.errors == ()
    return found


def driver(hardware: Hardware, system: System, **wish: Any) -> DriverChoice:
    found = resolved(hardware, system, **wish).driver
    assert found is not None
    return found


def test_a_branch_is_its_newest_release() -> None:
    newest = MATRIX.newest_release(580)
    assert newest is not None
    assert driver(HGX, UBUNTU, driver="580").version == newest.version


def test_a_package_version_is_kept_whole() -> None:
    chosen = driver(HGX, DEBIAN_12, driver="535.216.03-2~bpo12+1", source="distribution", fabric_manager="off")
    assert chosen.version == "535.216.03"
    assert {package.version for package in chosen.packages if package.component == "driver"} == {"535.216.03-2~bpo12+1"}


FLAVORS = {
    "Hopper on 535": (H100, "535.261.03", "auto", "proprietary", "proprietary is NVIDIA's default below branch 560"),
    "Hopper on 570": (H100, "570.195.03", "auto", "open", "open is NVIDIA's default from branch 560"),
    "Hopper, proprietary wished for": (H100, "580.105.08", "proprietary", "proprietary", "proprietary is wished for"),
    "Volta": (V100, "580.105.08", "auto", "proprietary", "Volta can run the proprietary modules only"),
    "Blackwell": (B200, "580.105.08", "auto", "open", "Blackwell can run the open modules only"),
    "unknown": ("0fff", "615", "auto", "open", "branch 615 has open modules only"),
}


@pytest.mark.parametrize(("gpu", "version", "wished", "flavor", "reason"), FLAVORS.values(), ids=FLAVORS)
def test_kernel_modules(gpu: str, version: str, wished: str, flavor: str, reason: str) -> None:
    chosen = driver(Hardware(gpus=(gpu.upper(),)), UBUNTU, driver=version, flavor=wished)
    assert (chosen.flavor, chosen.reason) == (flavor, f"{flavor} kernel modules: {reason}")


STALE = {
    "Ubuntu 570 to 580": (UBUNTU, "580.105.08", ["nvidia-fabricmanager-570", "libnvidia-nscq-570", "cuda-drivers-570"]),
    "Ubuntu 580 to 590": (UBUNTU, "590.48.01", ["cuda-drivers-580", "libnvidia-compute-580", "nvidia-dkms-580-open"]),
    "Ubuntu 590 to 580": (UBUNTU, "580.105.08", ["libnvidia-compute", "nvidia-utils", "nvidia-dkms-open"]),
    "EL 9 570 to 580": (EL_9, "580.105.08", ["nvidia-fabric-manager", "libnvidia-nscq-570", "kmod-nvidia-latest-dkms"]),
    "Ubuntu's own to NVIDIA's": (UBUNTU, "590.48.01", ["nvidia-headless-580-server-open", "nvidia-utils-580-server"]),
    "another pin": (UBUNTU, "590.48.01", ["nvidia-driver-pinning-580", "nvidia-driver-pinning-580.105.08"]),
}


@pytest.mark.parametrize(("system", "version", "names"), STALE.values(), ids=STALE)
def test_names_of_other_branches_go(system: System, version: str, names: list[str]) -> None:
    assert set(names) <= set(driver(HGX, system, driver=version, flavor="open").unwanted)


KEPT = {
    "libraries that NVIDIA's packages for Debian depend on": (DEBIAN_12, "compute", ["libcuda1", "nvidia-smi"]),
    "what nvidia-open depends on": (EL_9, "full", ["nvidia-driver", "nvidia-driver-cuda", "kmod-nvidia-open-dkms"]),
}


@pytest.mark.parametrize(("system", "profile", "names"), KEPT.values(), ids=KEPT)
def test_dependencies_stay(system: System, profile: str, names: list[str]) -> None:
    assert not set(names) & set(driver(HGX, system, driver="580.105.08", profile=profile).unwanted)


def test_debian_13_leaves_the_names_of_its_tesla_branch() -> None:
    wish = {"driver": "550.163.01", "source": "distribution", "fabric_manager": "off"}
    assert "nvidia-tesla-535-kernel-dkms" in driver(HGX, DEBIAN_13, **wish).unwanted


def test_pins() -> None:
    debian, el_9, el_10 = (driver(HGX, system, driver="590.48.01") for system in (DEBIAN_12, EL_9, EL_10))
    assert (debian.pinning, debian.stream, debian.versionlock) == ("nvidia-driver-pinning-590.48.01", "", ())
    assert (el_9.pinning, el_9.stream, el_9.versionlock) == ("", "590-open", ())
    assert (el_10.pinning, el_10.stream, el_10.versionlock) == ("", "", ("*nvidia*590.48.01*",))


def test_modules_that_the_distribution_built() -> None:
    wish = {"driver": "580.126.09", "source": "distribution", "modules": "precompiled"}
    chosen = driver(HGX, UBUNTU, **wish)
    assert "linux-modules-nvidia-580-server-open-6.8.0-60-generic" in [package.name for package in chosen.packages]
    assert chosen.dkms_module == ""


def test_no_daemon() -> None:
    found = resolved(HGX, UBUNTU, driver="580.105.08", persistence=False)
    assert (found.of("persistenced"), found.services) == ((), ())


def test_a_tray_left_to_the_dra_driver() -> None:
    tray = Hardware(gpus=(GB200,) * 4, nvlink5=True)
    found = resolved(tray, replace(UBUNTU, arch="aarch64"), driver="580.105.08", imex="dra", persistence=False)
    why = "NVIDIA's DRA driver starts its own daemons and needs the package alone"
    assert found.services == (Service("nvidia-imex.service", enabled=False, masked=True, reason=why),)
    assert found.module_options == {"NVreg_CoherentGPUMemoryMode": "driver"}


def test_toolkits_from_nvidia_beside_the_distributions_driver() -> None:
    wish = {"driver": "535.261.03", "source": "distribution", "cuda": ["12.9"], "fabric_manager": "off"}
    found = resolved(HGX, DEBIAN_12, **wish)
    assert [package.name for package in found.of("cuda")] == ["cuda-toolkit-12-9"]
    assert [repository.name for repository in found.repositories] == ["cuda"]


def test_no_repository_for_the_distributions_packages_alone() -> None:
    wish = {"driver": "550.163.01", "source": "distribution", "cuda": ["12.4"], "nccl": "auto", "fabric_manager": "off"}
    found = resolved(HGX, DEBIAN_13, **wish)
    assert found.repositories == ()
    assert [(item.name, item.version) for item in found.packages] == [
        ("nvidia-cuda-toolkit", "12.4.*"),
        ("libnccl2", "2.22.3-1-1"),
        ("libnccl-dev", "2.22.3-1-1"),
    ]


def test_no_repository_of_nvidias_for_gdrcopy_which_it_has_not() -> None:
    wish = {"driver": "550.163.01", "source": "distribution", "gdrcopy": "2.5.1", "fabric_manager": "off"}
    found = resolved(HGX, DEBIAN_13, **wish)
    assert (found.repositories, [item.name for item in found.packages]) == (
        (),
        ["gdrdrv-dkms", "libgdrapi", "gdrcopy-tests", "gdrcopy"],
    )


def test_cuda_compat_has_the_version_of_its_driver() -> None:
    wish = {"driver": "570.195.03", "cuda": ["12.9.1", "13.0"], "cuda_compat": True}
    found = resolved(HGX, UBUNTU, **wish)
    assert [(item.name, item.version) for item in found.packages] == [
        ("cuda-toolkit-12-9", "12.9.1"),
        ("cuda-compat-12-9", "575.57.08"),
        ("cuda-toolkit-13-0", ""),
        ("cuda-compat-13-0", ""),
    ]


NCCL = {
    "a driver and no toolkit": (UBUNTU, {"driver": "580"}, "2.28.9-1+cuda13.0"),
    "no newer than the toolkit where there is one": (
        System("ubuntu", "22.04"),
        {"driver": "580", "cuda": ["12.4"]},
        "2.27.7-1+cuda12.4",
    ),
    "the oldest of the major for an older toolkit": (
        System("ubuntu", "22.04"),
        {"driver": "580", "cuda": ["12.2"], "nccl": "2.27.7"},
        "2.27.7-1+cuda12.4",
    ),
    "the same for an older driver": (UBUNTU, {"driver": "535.274.02", "nccl": "2.28.3"}, "2.28.3-1+cuda12.9"),
    "the distribution's own": (DEBIAN_13, {"driver": "535.261.03", "source": "distribution"}, "2.22.3-1-1"),
    "NVIDIA's for a toolkit that the distribution's is not for": (
        DEBIAN_13,
        {"driver": "550.163.01", "source": "distribution", "cuda": ["13.0"], "cuda_compat": True},
        "2.28.9-1+cuda13.0",
    ),
}


@pytest.mark.parametrize(("system", "wish", "version"), NCCL.values(), ids=NCCL)
def test_the_build_of_nccl(system: System, wish: dict[str, Any], version: str) -> None:
    found = resolved(Hardware(gpus=(H100,)), system, **{"nccl": "auto", **wish})
    assert [item.version for item in found.of("nccl")] == [version, version]


def test_an_update_of_a_toolkit_is_exact() -> None:
    assert [item.version for item in resolved(HGX, UBUNTU, driver="580", cuda=["12.9.1"]).of("cuda")] == ["12.9.1"]


def test_the_default_is_what_the_driver_runs_in_full() -> None:
    found = resolved(HGX, UBUNTU, driver="570.195.03", cuda=["12.8", "12.9"])
    assert found.cuda_default == "12.8"
    assert found.reasons["cuda_default"] == "12.8 is the newest that the driver supports in full"


def test_toolkits_on_a_host_without_a_gpu() -> None:
    found = resolved(Hardware(), UBUNTU, driver="580", cuda=["12.9"], nccl="2.28.3", fabric_manager="auto")
    assert found.driver is None
    assert [item.name for item in found.packages] == ["cuda-toolkit-12-9", "libnccl2", "libnccl-dev"]


def test_volta_needs_two_majors_of_dcgm() -> None:
    found = resolved(Hardware(gpus=(V100,)), UBUNTU, driver="580.105.08", dcgm="4.4.1")
    names = [package.name for package in found.of("dcgm")]
    assert {"datacenter-gpu-manager-4-cuda12", "datacenter-gpu-manager-4-cuda13"} <= set(names)
