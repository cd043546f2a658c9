"""What happens on machines without Docker: stub programs on PATH play the machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpufleet.errors import ToolMissingError
from gpufleet.lab import prerequisites, shared_limits


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty machine: its programs are the stubs that a test writes into the directory."""
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setenv("GPUFLEET_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setattr(prerequisites, "search_path", lambda: str(programs))
    monkeypatch.setattr(prerequisites, "systemd_runs", lambda: False)
    monkeypatch.setattr(prerequisites, "as_root", lambda command: command)
    monkeypatch.setattr(shared_limits, "raise_instances", lambda say, as_root: None)
    # The stubs need their interpreter and `env`, whatever else is missing.
    (programs / "env").symlink_to("/usr/bin/env")
    return programs


def stub(machine: Path, name: str, body: str) -> None:
    """Write one program of the machine."""
    path = machine / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def complete(machine: Path, docker: str) -> None:
    """Give the machine every program, with the given behavior of docker."""
    for name in prerequisites.PROGRAMS:
        stub(machine, name, "exit 0")
    stub(machine, "docker", docker)


def test_nothing_is_done_where_everything_is_there(machine: Path) -> None:
    complete(machine, "exit 0")
    said: list[str] = []
    prerequisites.ensure(said.append)
    assert said == []


def test_docker_absent_and_no_apt(machine: Path) -> None:
    with pytest.raises(ToolMissingError) as refusal:
        prerequisites.ensure(lambda _: None)
    assert str(refusal.value) == (
        "lab: expected the programs docker, dockerd, mmdebstrap, ssh, ssh-keygen, found no apt-get on this machine; "
        "install docker.io, mmdebstrap, openssh-client by hand, then run the command again"
    )
    assert refusal.value.exit_code == 2


def test_docker_absent_and_apt_fails(machine: Path) -> None:
    stub(
        machine, "apt-get", 'case "$*" in *install*) echo "E: Unable to locate package docker.io" >&2; exit 100;; esac'
    )
    said: list[str] = []
    with pytest.raises(ToolMissingError) as refusal:
        prerequisites.ensure(said.append)
    assert str(refusal.value) == (
        "lab: expected the programs docker, dockerd, mmdebstrap, ssh, ssh-keygen, "
        "found apt-get install failed: E: Unable to locate package docker.io; "
        "install docker.io, mmdebstrap, openssh-client by hand, then run the command again"
    )
    assert said == [
        "installing docker.io, mmdebstrap, openssh-client with apt-get "
        "(missing: docker, dockerd, mmdebstrap, ssh, ssh-keygen)"
    ]


def test_missing_programs_are_installed(machine: Path) -> None:
    complete(machine, "exit 0")
    (machine / "mmdebstrap").unlink()
    stub(machine, "apt-get", f'case "$*" in *install*) : > {machine}/mmdebstrap; esac; echo "$*" >> {machine}/log')
    said: list[str] = []
    prerequisites.ensure(said.append)
    assert said == ["installing mmdebstrap with apt-get (missing: mmdebstrap)"]
    assert (machine / "log").read_text().splitlines()[-1].endswith("install -y --no-install-recommends mmdebstrap")


def test_daemon_that_dies_at_once(machine: Path, tmp_path: Path) -> None:
    complete(machine, 'echo "Cannot connect to the Docker daemon." >&2; exit 1')
    stub(machine, "dockerd", "exit 1")
    log = tmp_path / "state/dockerd.log"
    said: list[str] = []
    with pytest.raises(ToolMissingError) as refusal:
        prerequisites.ensure(said.append)
    assert said == [f"starting the Docker daemon: dockerd (log: {log})"]
    assert str(refusal.value) == (
        "lab: expected a Docker daemon that answers within 60 seconds, found Cannot connect to the Docker daemon.; "
        f"see {log}, start the daemon, then run the command again"
    )


def test_daemon_is_started_where_none_answers(machine: Path) -> None:
    complete(machine, f"test -e {machine}/answers")
    stub(machine, "dockerd", f": > {machine}/answers")
    said: list[str] = []
    prerequisites.ensure(said.append)
    assert len(said) == 1
    assert said[0].startswith("starting the Docker daemon: dockerd (log: ")
