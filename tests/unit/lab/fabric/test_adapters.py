"""Which adapters become which devices, what hosts are told, and plans that the lab's hosts cannot have."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpufleet.errors import FaultsFoundError, LabError
from gpufleet.lab.fabric import adapters, equipment
from gpufleet.lab.fabric.adapters import Adapter
from gpufleet.lab.profiles import Profile
from tests.unit.lab.fabric.small import PLAN, planned


def refusal(folder: Path, text: str = PLAN, **profiles: str) -> list[str]:
    with pytest.raises(FaultsFoundError) as refused:
        adapters.check(planned(folder, text), {name.replace("_", "-"): profile for name, profile in profiles.items()})
    return str(refused.value).splitlines()[1:]


def test_adapters_are_numbered_along_the_bus(tmp_path: Path) -> None:
    plan = planned(tmp_path)
    found = adapters.of("gpu-01", Profile.load("hgx-h100"), plan)
    assert [(row.name, row.address, row.link_layer) for row in found[:4]] == [
        ("mlx5_0", "0000:18:00.0", "InfiniBand"),
        ("mlx5_1", "0000:29:00.0", "Ethernet"),
        ("mlx5_2", "0000:29:00.1", "Ethernet"),
        ("mlx5_3", "0000:40:00.0", "InfiniBand"),
    ]
    first = Adapter("mlx5_0", "0000:18:00.0", "InfiniBand", "a088c20300000010", "gpu-01 mlx5_0")
    own = adapters.of("gpu-01", Profile.load("hgx-a100"), plan)
    assert (len(own), own[0]) == (8, first)
    assert [row.node for row in own] == ["gpu-01 mlx5_0", "gpu-01 mlx5_1", *[""] * 6]
    assert adapters.of("gpu-01", Profile.load("cpu-only"), plan) == []


def test_hosts_and_devices_that_the_lab_has_not(tmp_path: Path) -> None:
    assert refusal(tmp_path, gpu_02="hgx-h100") == [
        "  gpu-01: hosts: not in the lab; name it as NAME=OS/PROFILE, or take it out of the plan",
        "  gpu-02: hosts: expected an InfiniBand adapter, found mlx5_1 at 0000:29:00.0, which is Ethernet; "
        "use mlx5_0 mlx5_3 mlx5_4 mlx5_5 mlx5_6 mlx5_7 mlx5_8 mlx5_9",
    ]
    text = PLAN.replace("mlx5_1", "mlx5_10")
    assert refusal(tmp_path, text, gpu_01="hgx-a100", gpu_02="cpu-only") == [
        "  gpu-01: hosts: expected a name of 6 characters, found mlx5_10; "
        "use mlx5_0 mlx5_1 mlx5_2 mlx5_3 mlx5_4 mlx5_5 mlx5_6 mlx5_7",
        "  gpu-02: hosts: expected an adapter of profile cpu-only, found mlx5_0; "
        "give the host a profile with such adapters, as hgx-a100",
        "  gpu-02: hosts: expected a name of 6 characters, found mlx5_10; "
        "give the host a profile with such adapters, as hgx-a100",
    ]


def test_the_library_gets_the_devices_name() -> None:
    assert adapters.library(b"\0ibsim0\0", "mlx5_3") == b"\0mlx5_3\0"
    with pytest.raises(LabError) as refused:
        adapters.library(b"nothing", "mlx5_3")
    assert str(refused.value) == (
        "libumad2sim.so: expected the name ibsim0 once, found it 0 times; the lab needs libumad2sim of ibsim 0.12"
    )


def test_a_host_gets_a_library_and_an_environment_for_each_device(tmp_path: Path) -> None:
    own = adapters.of("gpu-02", Profile.load("hgx-a100"), planned(tmp_path))
    entries = {entry.path: entry.data for entry in equipment.devices(own, "10.213.0.2", 7070, b"\0ibsim0\0")}
    home = "/usr/lib/gpufleet-lab-fabric"
    names = ["mlx5_0.so", "devices/mlx5_0-1", "mlx5_1.so", "devices/mlx5_1-1"]
    assert list(entries) == [f"{home}/{name}" for name in names]
    assert entries[f"{home}/devices/mlx5_1-1"].decode() == (
        f'LD_PRELOAD={home}/mlx5_1.so\nSIM_HOST="gpu-02 mlx5_1"\nIBSIM_SERVER_NAME=10.213.0.2\nIBSIM_SERVER_PORT=7070\n'
    )


def test_units_go_where_systemd_looks() -> None:
    units, home = "/usr/lib/systemd/system", "/usr/lib/gpufleet-lab-fabric"
    found = {entry.path: entry.mode for entry in equipment.shared()}
    assert {path: mode for path, mode in found.items() if not path.startswith(f"{home}/simulated/")} == {
        f"{units}/gpufleet-lab-fabric.service": 0o644,
        f"{units}/gpufleet-opensm@.service.d/gpufleet-lab.conf": 0o644,
        f"{home}/launcher": 0o755,
        f"{home}/adapters": 0o755,
    }
