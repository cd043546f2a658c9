"""Which archive of a lab is as good as a new one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gpufleet.lab import archive_process, bringup
from gpufleet.lab.archive_process import find, serves
from gpufleet.lab.hosts import LabHost
from gpufleet.lab.state import State
from gpufleet.lab.vendors import tree


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> State:
    monkeypatch.setenv("GPUFLEET_STATE_DIR", str(tmp_path))
    lab = State("one")
    lab.path.mkdir(parents=True)
    return lab


@contextmanager
def running(lab: State, *words: str) -> Iterator[int]:
    """A process with the command line of an archive, until its input ends."""
    # It has its command line from when it speaks: what started it goes on a little earlier.
    command = [sys.executable, "-c", "print(flush=True); input()", f"--denied={lab.denied}", *words]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        (lab.path / "archive.pid").write_text(f"{process.pid}\n")
        yield process.pid
        process.communicate(b"\n")


def test_no_archive_serves_nothing(lab: State) -> None:
    assert (find(lab), serves(lab)) == (None, False)


def test_an_archive_from_before_there_were_repositories_of_the_lab(lab: State) -> None:
    with running(lab) as pid:
        assert (find(lab), serves(lab)) == (pid, False)


def test_an_archive_with_the_labs_repositories(lab: State) -> None:
    with running(lab, f"--own={tree.root()}") as pid:
        assert (find(lab), serves(lab)) == (pid, True)
    assert (find(lab), serves(lab)) == (None, False)


@pytest.mark.parametrize(
    ("systems", "expected"),
    [
        ((), ["vendors"]),
        (("debian-12", "ubuntu-24.04-stand-in"), ["vendors"]),
        (("rocky-9-stand-in",), ["vendors", "el"]),
    ],
)
def test_up_brings_the_labs_repositories_up_to_date_although_no_host_is_missing(
    lab: State, systems: tuple[str, ...], expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[str] = []
    hosts = [LabHost(f"h{number}", os, "cpu-only", "192.0.2.7", lab) for number, os in enumerate(systems)]
    monkeypatch.setattr("gpufleet.lab.network.ensure", lambda _: None)
    monkeypatch.setattr("gpufleet.lab.containers.find", lambda _: {})
    monkeypatch.setattr("gpufleet.lab.containers.plan", lambda *_: hosts)
    monkeypatch.setattr("gpufleet.lab.vendors.ensure", lambda: built.append("vendors"))
    monkeypatch.setattr("gpufleet.lab.el_repositories.ensure", lambda: built.append("el"))
    monkeypatch.setattr(bringup, "prepare", lambda *_: {})
    monkeypatch.setattr(bringup, "start", lambda *_: None)
    monkeypatch.setattr(bringup, "record", lambda *_: None)
    assert bringup.bring_up(lab, [], {}, print) == hosts
    assert built == expected


def test_a_running_archive_without_them_is_replaced(lab: State, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    monkeypatch.setattr(archive_process, "stop", lambda _: done.append("stop"))

    def spawn(*_: object) -> subprocess.Popen[bytes]:
        done.append("spawn")
        return subprocess.Popen(["true"])

    monkeypatch.setattr(archive_process, "spawn", spawn)
    monkeypatch.setattr(archive_process, "arguments", lambda *_: [])
    monkeypatch.setattr(archive_process, "answers", lambda *_: (True, ""))
    with running(lab):
        archive_process.ensure(lab, None, None)  # type: ignore[arg-type]  # neither is looked at
    assert done == ["stop", "spawn"]
