"""What a host shows in /sys/class/infiniband, asked of a simulator that answers in ibsim's words."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from gpufleet.errors import LabError
from gpufleet.facts.rdma import RdmaDevice, RdmaDevices, RdmaPort
from gpufleet.lab.fabric import adapters, equipment, settings
from gpufleet.lab.fabric.host.simulated import client
from gpufleet.lab.profiles import Profile
from gpufleet.lab.recipe import EMULATION
from tests.unit.lab.fabric.ibsim import Ibsim, port_info
from tests.unit.lab.fabric.small import planned

#: Does once what the service does for ever, without a mount.
ONCE = """
import sys
sys.path[:0] = sys.argv[1:3]
from simulated import show, sysfs
sysfs.host_name = lambda: "gpu-02"
show.prepare(show.paths.configured("fabric.json"))
"""


@pytest.fixture
def root(tmp_path: Path, ibsim: Ibsim) -> Path:
    """Root of a host whose service has looked at the simulator."""
    own = adapters.of("gpu-02", Profile.load("hgx-a100"), planned(tmp_path))
    folder = tmp_path / "etc/gpufleet-lab"
    folder.mkdir(parents=True)
    (folder / "fabric.json").write_text(json.dumps(adapters.told(own[1:3], "127.0.0.1", ibsim.port)))
    for row in own:
        device = tmp_path / "sys/bus/pci/devices" / row.address
        device.mkdir(parents=True)
        (device / "numa_node").write_text("0\n")
    return tmp_path


def look(root: Path) -> list[RdmaDevice]:
    """Have the service look, and read what it wrote as gpufleet does."""
    environment = {**os.environ, "GPUFLEET_LAB_ROOT": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", ONCE, str(equipment.HOST), str(EMULATION)]
    subprocess.run(command, env=environment, check=True, timeout=30)
    fact = RdmaDevices()
    reading = fact.command().replace("/sys/", f"{root}/sys/")
    shell = subprocess.run(["sh", "-c", reading], capture_output=True, text=True, check=True, timeout=30)
    return fact.process(shell.stdout.splitlines())


UNPLUGGED = RdmaPort(1, "InfiniBand", "DOWN", "Polling", 10, 4)


@pytest.mark.parametrize(
    ("info", "port"),
    [
        (port_info(), RdmaPort(1, "InfiniBand", "ACTIVE", "LinkUp", 400, 4)),
        (port_info(2, extended=4), RdmaPort(1, "InfiniBand", "INIT", "LinkUp", 200, 4)),
        (port_info(width=1, extended=2), RdmaPort(1, "InfiniBand", "ACTIVE", "LinkUp", 25, 1)),
        (port_info(width=1, speed=1, extended=0), RdmaPort(1, "InfiniBand", "ACTIVE", "LinkUp", 2.5, 1)),
        (port_info(1, 2, width=8, extended=1), RdmaPort(1, "InfiniBand", "DOWN", "Polling", 168, 12)),
    ],
    ids=["NDR", "HDR without a manager", "one lane of EDR", "one lane of SDR", "twelve lanes of FDR that are down"],
)
def test_ports_are_what_the_simulator_says(root: Path, ibsim: Ibsim, info: bytes, port: RdmaPort) -> None:
    ibsim.info = info
    planned_one, other = look(root)
    assert planned_one.ports == (port,)
    assert (planned_one.name, planned_one.pci, planned_one.numa) == ("mlx5_1", "0000:40:00.0", 0)
    assert (other.name, other.ports) == ("mlx5_2", (UNPLUGGED,))
    assert ibsim.attached == ["gpu-02 mlx5_1"]


def test_files_of_a_port(root: Path) -> None:
    look(root)
    device = root / "sys/class/infiniband/mlx5_1"
    files = ("node_guid", "node_desc", *(f"ports/1/{name}" for name in ("rate", "lid", "sm_lid", "gids/0", "pkeys/1")))
    guid = "0002:c9d4:44fa:1bb0"
    assert [(device / name).read_text().strip() for name in files] == [
        *(guid, "gpu-02 mlx5_1", "400 Gb/sec (4X NDR)", "0x7", "0x1"),
        *(f"fe80:0000:0000:0000:{guid[:-1]}1", "0x8012"),
    ]
    assert (root / "sys/bus/pci/devices/0000:40:00.0/infiniband/mlx5_1/node_guid").read_text() == f"{guid}\n"
    assert list(device.rglob(".*")) == []


def test_an_occupied_simulator_is_asked_again(root: Path, ibsim: Ibsim) -> None:
    ibsim.full = 2
    assert look(root)[0].ports[0].state == "ACTIVE"
    assert ibsim.attached == ["gpu-02 mlx5_1"] * 3


def test_ports_are_down_without_a_simulator(root: Path) -> None:
    path = root / "etc/gpufleet-lab/fabric.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "port": 9}))
    assert [device.ports for device in look(root)] == [(UNPLUGGED,)] * 2


def test_an_ethernet_adapter_has_no_subnet(root: Path) -> None:
    path = root / "etc/gpufleet-lab/fabric.json"
    row = asdict(adapters.Adapter("mlx5_9", "0000:40:00.0", "Ethernet", "0002c98a5b0f8bd0"))
    path.write_text(json.dumps({"server": "127.0.0.1", "port": 9, "adapters": [row]}))
    assert look(root)[0].ports == (RdmaPort(1, "Ethernet", "DOWN", "Polling", 10, 4),)
    assert not (root / "sys/class/infiniband/mlx5_9/ports/1/gids").exists()


def test_settings_of_a_port_that_are_changed() -> None:
    before = port_info()
    after = settings.changed(before, {"extended": 7, "width": 1})
    assert {at: (before[at], after[at]) for at in range(64) if before[at] != after[at]} == {
        29: (3, 1),
        32: (4, 0),
        33: (0x50, 0),
        63: (15, 7),
    }
    assert settings.changed(before, {"speed": 1})[35] == 4 << 4 | 1


def test_a_simulator_is_asked_for_a_place_until_it_has_one(ibsim: Ibsim, monkeypatch: pytest.MonkeyPatch) -> None:
    """This one answers no datagrams, so that it ends by what comes behind."""
    monkeypatch.setattr(client, "SECONDS", 0.2)
    ibsim.full = 2
    with pytest.raises(LabError, match="found timed out"):
        settings.enable("127.0.0.1", ibsim.port, "leaf-01", 3, extended=7)
    assert ibsim.attached == ["leaf-01"] * 3


def test_a_simulator_that_refuses_a_program(ibsim: Ibsim, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "SECONDS", 0)
    ibsim.full = 1
    with pytest.raises(LabError) as refused:
        settings.enable("127.0.0.1", ibsim.port, "leaf-01", 3, extended=7)
    assert str(refused.value) == (
        "leaf-01/3: expected an answer of ibsim, found the simulator refuses request 1; "
        "see that its container runs, and run the command again"
    )
