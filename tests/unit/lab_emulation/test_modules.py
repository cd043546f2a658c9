"""Loading and unloading: what the kernel would answer and leave in /sys, /proc and /dev."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from tests.unit.lab_emulation.host import Host


def test_a_module_leaves_its_traces_in_sys_and_proc(host: Host) -> None:
    assert host.load("drm") == 0
    assert host.load("nvme", "io_queue_depth=64", depends="drm", version="1.0", parmtype="io_queue_depth:int") == 0
    found = {path.name: path.read_text().strip() for path in (host.modules / "nvme").iterdir() if path.is_file()}
    assert found["version"] == "1.0"
    assert found["initstate"] == "live"
    assert (host.modules / "nvme/parameters/io_queue_depth").read_text() == "64\n"
    assert [holder.name for holder in (host.modules / "drm/holders").iterdir()] == ["nvme"]
    lines = (host.root / "run/gpufleet-lab/modules").read_text().splitlines()
    assert [line.split()[:1] + line.split()[2:5] for line in lines] == [
        ["nvme", "0", "-", "Live"],
        ["drm", "1", "nvme,", "Live"],
    ]


def test_a_module_is_loaded_once(host: Host) -> None:
    assert [host.load("drm"), host.load("drm")] == [0, errno.EEXIST]


def test_a_module_of_another_kernel_is_refused(host: Host) -> None:
    assert host.load("drm", vermagic="6.1.0-48-amd64") == errno.ENOEXEC
    tail = "SMP preempt mod_unload modversions"
    assert host.log() == [f"drm: version magic '6.1.0-48-amd64 {tail} ' should be '6.1.0-50-amd64 {tail} '"]


def test_a_module_whose_dependency_is_missing_is_refused(host: Host) -> None:
    assert host.load("nvidia_uvm", depends="nvidia") == errno.ENOENT
    assert host.log() == ["nvidia_uvm: Unknown symbol of module nvidia (err -2)"]


def test_a_dependency_that_is_built_in_is_met(host: Host) -> None:
    listing = host.root / "lib/modules/6.1.0-50-amd64/modules.builtin"
    listing.parent.mkdir(parents=True)
    listing.write_text("kernel/drivers/video/backlight/video-core.ko\n")
    assert host.load("drm", depends="video-core") == 0


def test_a_file_that_is_no_module_is_refused(host: Host, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no module")
    assert host.run("kernel", "load", str(tmp_path / "text"), "", "0").returncode == errno.ENOEXEC


def test_a_held_module_stays(host: Host) -> None:
    assert [host.load("drm"), host.load("ttm", depends="drm")] == [0, 0]
    assert host.unload("drm") == errno.EWOULDBLOCK
    assert [host.unload("ttm"), host.unload("drm"), host.unload("drm")] == [0, 0, errno.ENOENT]
    assert list(host.modules.iterdir()) == []


def test_a_driver_takes_the_devices_that_its_aliases_match_and_gives_them_back(host: Host) -> None:
    assert host.load("nouveau", alias="pci:v000010DEd*sv*sd*bc03sc*i*") == 0
    bound = sorted(path.parent.name for path in host.root.glob("sys/bus/pci/devices/*/driver"))
    assert bound[0] == "0000:1b:00.0"
    assert len(bound) == 8
    assert (host.root / "sys/bus/pci/devices/0000:1b:00.0/driver").readlink().name == "nouveau"
    assert host.unload("nouveau") == 0
    assert list(host.root.glob("sys/bus/pci/devices/*/driver")) == []


def test_nvidia_writes_its_version_line_and_devices(with_driver: Host) -> None:
    assert (with_driver.root / "proc/driver/nvidia/version").read_text() == (
        "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.216.03  Fri Oct 25 22:43:06 UTC 2024\n"
        "GCC version:  gcc version 12.2.0 (Debian 12.2.0-14+deb12u1) \n"
    )
    assert (with_driver.root / "proc/driver/nvidia/params").read_text() == 'EnableMSI: 1\nRegistryDwords: "A=1;B=2"\n'
    nodes = sorted(path.name for path in (with_driver.root / "dev").iterdir())
    assert nodes == ["nvidia-caps", *(f"nvidia{index}" for index in range(8)), "nvidiactl"]
    information = (with_driver.root / "proc/driver/nvidia/gpus/0000:1b:00.0/information").read_text().splitlines()
    assert information[0] == "Model: \t\t NVIDIA H100 80GB HBM3"
    assert information[-1] == "GPU Excluded:\t No"
    assert (with_driver.modules / "nvidia/taint").read_text() == "POE\n"
    assert "nvidia: unknown parameter 'NVreg_Typo' ignored" in with_driver.log()


def test_nvidia_is_refused_while_nouveau_has_the_gpus(host: Host) -> None:
    assert host.load("nouveau", alias="pci:v000010DEd*sv*sd*bc03sc*i*") == 0
    assert host.load("nvidia", license="NVIDIA") == errno.ENODEV
    assert host.log()[-5:] == [
        "NVRM: GPU 0000:df:00.0 is already bound to nouveau.",
        "NVRM: The NVIDIA probe routine was not called for 8 device(s).",
        "NVRM: This can occur when another driver was loaded and",
        "NVRM: obtained ownership of the NVIDIA device(s).",
        "NVRM: No NVIDIA devices probed.",
    ]
    assert not (host.modules / "nvidia").exists()


def test_nvidia_is_refused_without_a_gpu(tmp_path: Path) -> None:
    host = Host(tmp_path / "bare", "cpu-only")
    assert host.load("nvidia", license="NVIDIA") == errno.ENODEV
    assert host.log()[-1] == "NVRM: No NVIDIA GPU found."


def test_an_open_device_keeps_nvidia_loaded(with_driver: Host) -> None:
    with_driver.held_open(4711, "nvidia0")
    assert with_driver.unload("nvidia") == errno.EWOULDBLOCK
    assert (with_driver.modules / "nvidia/refcnt").read_text() == "1\n"
    (with_driver.root / "proc/4711/fd/3").unlink()
    assert with_driver.unload("nvidia") == 0
    assert list((with_driver.root / "dev").iterdir()) == []
    assert not (with_driver.root / "proc/driver/nvidia").exists()


def test_the_open_module_says_so(host: Host) -> None:
    assert host.load("nvidia", license="Dual MIT/GPL", version="550.163.01") == 0
    version = (host.root / "proc/driver/nvidia/version").read_text().splitlines()[0]
    assert version == "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  550.163.01"
    assert (host.modules / "nvidia/taint").read_text() == "OE\n"


def test_the_open_module_may_make_the_first_imex_channel_and_takes_it_away(host: Host) -> None:
    parameters = "NVreg_CreateImexChannel0:int"
    assert host.load("nvidia", "NVreg_CreateImexChannel0=1", license="Dual MIT/GPL", parmtype=parameters) == 0
    assert (host.root / "dev/nvidia-caps-imex-channels/channel0").exists()
    assert host.unload("nvidia") == 0
    assert list((host.root / "dev").iterdir()) == []


@pytest.mark.parametrize(
    ("profile", "product_data", "there"),
    [
        ("hgx-a100", "", True),
        ("hgx-h100", "", True),
        ("hgx-b200", "SMDL=SW_MNG", True),
        ("l40s-pcie", "", False),
        ("gb200-tray", "", False),
    ],
)
def test_fabric_managers_capability_is_where_it_runs(
    tmp_path: Path, profile: str, product_data: str, there: bool
) -> None:
    host = Host(tmp_path / "other", profile)
    if product_data:
        (sorted((host.root / "sys/bus/pci/devices").iterdir())[0] / "vpd").write_bytes(product_data.encode() + b"\xff")
    assert host.load("nvidia", license="Dual MIT/GPL") == 0
    assert (host.root / "dev/nvidia-caps/nvidia-cap0").exists() is there
    assert host.unload("nvidia") == 0
    assert list((host.root / "dev").iterdir()) == []


def test_gdrcopy_has_its_device(with_driver: Host) -> None:
    assert with_driver.load("gdrdrv", depends="nvidia") == 0
    assert (with_driver.root / "dev/gdrdrv").exists()
    assert with_driver.unload("gdrdrv") == 0
    assert not (with_driver.root / "dev/gdrdrv").exists()


@pytest.mark.parametrize(
    ("system", "ib_core", "error"),
    [
        ("debian", None, errno.EINVAL),
        ("debian", "intree", errno.EINVAL),
        ("debian", "ofed", 0),
        ("ubuntu", "intree", 0),
        ("ubuntu", None, errno.EINVAL),
    ],
)
def test_peer_memory_needs_an_ib_core_that_takes_it(
    with_driver: Host, system: str, ib_core: str | None, error: int
) -> None:
    (with_driver.root / "etc/os-release").write_text(f"NAME=x\nID={system}\n")
    if ib_core:
        assert (with_driver.load("ib_core", intree="Y") if ib_core == "intree" else with_driver.load("ib_core")) == 0
    assert with_driver.load("nvidia_peermem", depends="nvidia") == error


def test_own_modules_of_a_renamed_kernel_load_under_the_name_they_were_built_for(host: Host) -> None:
    former = host.root / "usr/lib/gpufleet-lab-machine/kernel-built-as"
    former.parent.mkdir(parents=True)
    former.write_text("6.1.0-56-amd64\n")
    assert host.load("dm_mod", vermagic="6.1.0-56-amd64", intree="Y") == 0
    assert host.load("foreign", vermagic="6.1.0-56-amd64") == errno.ENOEXEC
