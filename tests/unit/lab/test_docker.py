"""What docker's refusals become; stub programs on PATH play the machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gpufleet.errors import LabError, ToolMissingError
from gpufleet.lab import docker
from gpufleet.lab.lab import Lab

Stub = Callable[[str], None]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stub]:
    """A machine without programs; the fixture's value gives it a docker that behaves as the shell text says."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("GPUFLEET_STATE_DIR", str(tmp_path / "state"))
    (tmp_path / "bin").mkdir()
    docker.command.cache_clear()

    def stub(body: str) -> None:
        program = tmp_path / "bin/docker"
        program.write_text(f"#!/bin/sh\n{body}\n")
        program.chmod(0o755)

    yield stub
    docker.command.cache_clear()


def test_docker_absent(machine: Stub, tmp_path: Path) -> None:
    with pytest.raises(ToolMissingError) as refusal:
        Lab.up("x")
    assert str(refusal.value) == ("lab: expected the program docker, found none on PATH; install the package docker.io")
    assert refusal.value.exit_code == 2
    assert not (tmp_path / "state").exists()


def test_no_daemon(machine: Stub, tmp_path: Path) -> None:
    machine("echo 'Cannot connect to the Docker daemon at unix:///x. Is it running?' >&2; exit 1")
    for work in (lambda: Lab.up("x"), lambda: Lab.remove("x")):
        with pytest.raises(ToolMissingError) as refusal:
            work()
        assert str(refusal.value) == (
            "lab: expected a Docker daemon that answers, "
            "found Cannot connect to the Docker daemon at unix:///x. Is it running?; "
            "start it (`systemctl start docker`, or `dockerd`) and run the command again"
        )
    assert not (tmp_path / "state").exists()


def test_a_command_that_docker_refuses(machine: Stub) -> None:
    machine("[ $1 = version ] || { echo first >&2; echo 'no space left' >&2; exit 125; }")
    with pytest.raises(LabError) as refusal:
        docker.docker("network", "create", "x")
    assert str(refusal.value) == (
        "docker network create: expected success, found exit status 125: no space left; "
        "correct what docker complains of and run the command again: it continues where it stopped"
    )


def test_a_refusal_may_be_left_to_the_caller(machine: Stub) -> None:
    machine("echo no; exit 3")
    result = docker.docker("inspect", "x", check=False)
    assert (result.returncode, result.stdout) == (3, "no\n")


def test_removing_what_is_absent_is_fine(machine: Stub) -> None:
    machine("echo 'Error: No such container: x' >&2; exit 1")
    docker.remove("x")
