"""Faults of lab hosts: each breaks what it says, in the words of the real programs, and goes without a trace."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import paramiko
import pytest

from gpufleet.lab import faults, status
from gpufleet.lab.hosts import USER, HostSpec, LabHost
from gpufleet.lab.lab import Lab
from tests.support.lab import lab_name

NAME = f"{lab_name()}-faults"
SPECS = [HostSpec.parse(text) for text in ("l12=debian-12/cpu-only", "l13=debian-13/cpu-only")]


@pytest.fixture(scope="module")
def lab(state: Path) -> Iterator[Lab]:
    """A lab of this module's own, as its tests break hosts."""
    try:
        made = Lab.up(NAME, SPECS)
        for host in made.hosts:
            host.ssh("sudo apt-get -q update")
        yield made
    finally:
        Lab.remove(NAME)


@pytest.fixture(params=["l12", "l13"])
def host(lab: Lab, request: pytest.FixtureRequest) -> LabHost:
    return lab.host(request.param)


def test_disk_full(host: LabHost) -> None:
    with broken(host, "disk-full"):
        assert complaint(host, "sudo apt-get -y install hello") == (
            "E: You don't have enough free space in /var/cache/apt/archives/."
        )
    host.ssh("sudo apt-get -y install hello && sudo apt-get -y purge hello")


def test_apt_down_for_one_host_only(lab: Lab) -> None:
    first, second = lab.hosts
    with broken(first, "apt-down"):
        assert "503  Refused by the lab's fault apt-down" in complaint(
            first, "sudo apt-get clean; sudo apt-get -o Acquire::Retries=0 -y install hello", lines=2
        )
        second.ssh("sudo apt-get -q update")
    first.ssh("sudo apt-get -q update")


def test_dpkg_locked(host: LabHost) -> None:
    with broken(host, "dpkg-locked"):
        text = complaint(host, "sudo apt-get -y install hello", lines=2)
        assert text.startswith("E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process ")
        assert "(unattended-upgr)" in text
    host.ssh("sudo apt-get -y install hello && sudo apt-get -y purge hello")


def test_ssh_refused(host: LabHost) -> None:
    with broken(host, "ssh-refused"):
        assert complaint(host, "true") == f"ssh: connect to host {host.address} port 22: Connection refused"
    assert host.ssh("echo back").stdout == "back\n"


def test_slow(host: LabHost) -> None:
    with broken(host, "slow", "900"):
        started = time.monotonic()
        result = host.ssh("echo out; echo err >&2; exit 3", check=False)
        assert (result.stdout, result.stderr, result.returncode) == ("out\n", "err\n", 3)
        assert time.monotonic() - started > 0.9
        assert "passwd" in listed(host, "/etc")


def test_no_return_from_reboot(host: LabHost) -> None:
    host.fault("no-return-from-reboot")
    try:
        host.ssh("sudo reboot", check=False)
        deadline = time.monotonic() + 60
        while faults.running(host):
            assert time.monotonic() < deadline
        assert status.row(host)["state"] == "down"
        assert status.row(host)["faults"] == ["no-return-from-reboot"]
    finally:
        host.fault("no-return-from-reboot", clear=True)
    assert status.row(host)["state"] == "running"


@contextlib.contextmanager
def broken(host: LabHost, kind: str, value: str | None = None) -> Iterator[None]:
    """A fault that lasts as long as the block; given and taken twice, as both must be idempotent."""
    try:
        for _ in range(2):
            host.fault(kind, value)
        assert faults.active(host) == [kind]
        yield
    finally:
        for _ in range(2):
            host.fault(kind, clear=True)
    assert faults.active(host) == []


def complaint(host: LabHost, script: str, lines: int = 1) -> str:
    """Last lines of what a command that fails prints as its error."""
    result = host.ssh(script, check=False)
    assert result.returncode != 0
    return "\n".join(result.stderr.strip().splitlines()[-lines:])


def listed(host: LabHost, directory: str) -> list[str]:
    """Names in a directory of the host, over SFTP."""
    with paramiko.SSHClient() as client:
        client.load_host_keys(str(host.state.known_hosts))
        client.connect(host.address, username=USER, key_filename=str(host.state.key), allow_agent=False)
        return client.open_sftp().listdir(directory)
