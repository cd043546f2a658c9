"""The simulator's console, its image, and the subnet managers on hosts, with Docker's answers given."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Network
from typing import Any

import pytest

from gpufleet.errors import LabError
from gpufleet.lab import docker
from gpufleet.lab.docker import Result
from gpufleet.lab.fabric import managers, simulator
from gpufleet.lab.fabric.simulator import Simulator, SimulatorRecipe
from gpufleet.lab.hosts import LabHost
from gpufleet.lab.network import Network
from gpufleet.lab.state import State

ATTACHED = """sim> Client 0: pid 39871 connected at "gpu-01 mlx5_0" port 0x2c90300000301, lid 1, qp 0 SM
Client 1: pid 40000 connected at "gpu-01 mlx5_0" port 0x2c90300000301, lid 1, qp 0
Client 4: pid 39872 connected at "gpu-02 mlx5_0" port 0x2c90300000401, lid 2, qp 0 SM
"""


class Console:
    """Docker with a simulator in it: what the console was told, and its next answers."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.answers: list[str] = []
        self.status = 0

    def __call__(self, *words: str, data: bytes | None = None, **_: Any) -> Result:
        *commands, mark = (data or b"").decode().splitlines()
        assert words[-1] == mark
        self.told += commands
        answer = self.answers.pop(0) if self.answers else "sim> "
        return Result(words, self.status, f"{answer}sim> {mark}sim> ", "no such container" if self.status else "")


@pytest.fixture
def console(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Console:
    monkeypatch.setenv("GPUFLEET_STATE_DIR", str(tmp_path))
    found = Console()
    monkeypatch.setattr(docker, "docker", found)
    return found


OWN = Simulator(State("demo"))


def test_the_console_answers(console: Console) -> None:
    console.answers = ["PortCounters.SymbolErrorCounter has been set to 5\n"]
    assert OWN.ask('PerformanceSet "a"[1] PortCounters.SymbolErrorCounter=5') == (
        "PortCounters.SymbolErrorCounter has been set to 5"
    )


@pytest.mark.parametrize(
    ("answer", "status", "found"),
    [
        ('sim> # port 7 at nodeid "leaf-01" is not linked\n', 0, '# port 7 at nodeid "leaf-01" is not linked'),
        ("sim> command 'Unlonk' unknown - skipped\n", 0, "command 'Unlonk' unknown - skipped"),
        ("", 124, "no such container"),
    ],
)
def test_what_the_console_refuses(console: Console, answer: str, status: int, found: str) -> None:
    console.answers, console.status = [answer], status
    with pytest.raises(LabError) as refused:
        OWN.ask('Unlink "leaf-01"[7]')
    assert str(refused.value) == (
        f'fabric of lab demo: expected `Unlink "leaf-01"[7]` done, found {found}; '
        "look into it with `docker exec gpufleet-demo-fabric cat /run/gpufleet-lab-fabric/log`"
    )


def test_managers_that_were_killed_are_forgotten(console: Console) -> None:
    console.answers = [ATTACHED]
    OWN.detach_managers(["gpu-01 mlx5_0"])
    assert console.told == ["Attached", "X 0"]


def test_nobody_is_forgotten_where_nobody_was(console: Console) -> None:
    OWN.detach_managers(["gpu-01 mlx5_0"])
    assert console.told == ["Attached"]


def test_the_image_is_named_by_its_content() -> None:
    one = SimulatorRecipe("fabric", week="2026-W48")
    assert one.base_tag().startswith("gpufleet-lab:fabric-base-")
    assert (one.suite, one.packages) == ("trixie", ("ibsim-utils",))
    assert one.base_tag() != SimulatorRecipe("fabric", week="2026-W49").base_tag()


def host(answers: Callable[[str], str], said: list[str], monkeypatch: pytest.MonkeyPatch) -> LabHost:
    def execute(_: LabHost, command: str, check: bool = True) -> Result:
        said.append(command)
        return Result(command, 0, answers(command), "")

    monkeypatch.setattr(LabHost, "execute", execute)
    return LabHost("gpu-01", "debian-12", "hgx-a100", "10.213.0.11", State("demo"))


def test_a_killed_manager_stays_so(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    units = "gpufleet-opensm@mlx5_0-1.service\ngpufleet-opensm@mlx5_1-1.service\n"
    own = host(lambda command: units if command == managers.RUNNING else "", said, monkeypatch)
    console.answers = [ATTACHED]
    managers.kill(own, "mlx5_0", OWN)
    assert "printf '[Service]\\nRestart=no\\n' >/run/systemd/system/$unit.d/gpufleet-lab-killed.conf" in said[-2]
    assert "systemctl kill --signal=KILL gpufleet-opensm@mlx5_0-1.service\n" in said[-1]
    assert console.told == ["Attached", "X 0"]


def test_what_was_killed_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    own = host(lambda _: "gpufleet-opensm@mlx5_1-1.service.d\n", said, monkeypatch)
    assert managers.killed(own) == ["mlx5_1"]
    managers.revive(own, "mlx5_0")
    assert not [command for command in said if "systemctl start" in command]
    managers.revive(own, "")
    assert said[-1].endswith("systemctl start gpufleet-opensm@mlx5_1-1.service\n")


def test_no_manager_to_kill(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(LabError) as refused:
        managers.kill(host(lambda _: "", [], monkeypatch), "mlx5_0", OWN)
    assert str(refused.value) == (
        "host gpu-01: expected a subnet manager that runs on mlx5_0, found none; deploy the role subnet_manager first"
    )


def test_the_simulator_has_an_address_that_no_host_gets() -> None:
    net = Network("gpufleet-demo", IPv4Network("10.213.5.0/24"))
    assert simulator.address(net) == "10.213.5.2"
    assert simulator.address(net) not in {net.gateway, *net.free([])}
