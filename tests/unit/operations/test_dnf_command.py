"""The script around dnf, run by a real shell with a stub program in the place of dnf."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from pyinfra.api.command import StringCommand
from pyinfra.context import ctx_host

from gpufleet.operations import dnf_command

#: What dnf 4.14 prints with `exit_on_lock`.
LOCKED = "echo 'metadata already locked by 42' >&2; echo '  The application with PID 42 is: python3' >&2; exit 200"
MAKECACHE = "dnf --assumeyes --setopt=exit_on_lock=True makecache"

Stub = Callable[[str], None]


class Outcome(NamedTuple):
    """How a command ended, and how it called dnf."""

    status: int
    errors: str
    calls: list[str]


Run = Callable[[StringCommand], Outcome]


class _Host:
    name = "gpu-07"


@pytest.fixture(autouse=True)
def _named_host() -> Iterator[None]:
    with ctx_host.use(_Host()):
        yield


@pytest.fixture
def stub(tmp_path: Path) -> Stub:
    """Write a dnf that is found before the system's and notes in `calls` how it was called."""
    (tmp_path / "bin").mkdir()

    def write(body: str) -> None:
        path = tmp_path / "bin" / "dnf"
        path.write_text(f'#!/bin/sh\necho "dnf $*" >>{tmp_path}/calls\ncd {tmp_path}\n{body}\n')
        path.chmod(0o755)

    return write


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def execute(command: StringCommand) -> Outcome:
        environment = {"PATH": f"{tmp_path}/bin:{os.environ['PATH']}", "TMPDIR": str(tmp_path)}
        script = ["sh", "-c", command.get_raw_value()]
        done = subprocess.run(script, env=environment, text=True, capture_output=True, timeout=30, check=False)
        return Outcome(done.returncode, done.stderr, (tmp_path / "calls").read_text().splitlines())

    return execute


def test_dnf_is_asked_once_and_its_warnings_are_shown(stub: Stub, run: Run) -> None:
    stub('echo "W: $LC_ALL" >&2')
    assert run(dnf_command.dnf(["makecache"], timeout=20, lock_timeout=5)) == (0, "W: C.UTF-8\n", [MAKECACHE])


def test_an_error_is_shown_and_not_tried_again(stub: Stub, run: Run) -> None:
    stub("echo 'Error: Unable to find a match: x' >&2; exit 1")
    outcome = run(dnf_command.dnf(["makecache"], timeout=20, lock_timeout=5))
    assert outcome == (1, "Error: Unable to find a match: x\n", [MAKECACHE])


def test_a_lock_is_waited_for(stub: Stub, run: Run) -> None:
    stub(f"[ -e second ] && exit 0; touch second; {LOCKED}")
    assert run(dnf_command.dnf(["makecache"], timeout=20, lock_timeout=5)) == (0, "", [MAKECACHE, MAKECACHE])


def test_a_lock_that_stays_is_reported_with_its_holder(stub: Stub, run: Run) -> None:
    stub(LOCKED)
    outcome = run(dnf_command.dnf(["makecache"], timeout=20, lock_timeout=0))
    assert outcome.status == dnf_command.LOCKED
    assert outcome.errors == (
        "metadata already locked by 42\n  The application with PID 42 is: python3\n"
        "gpu-07: expected a free lock of dnf within 0 seconds, found its metadata locked by process 42; "
        "wait for that process to end or raise lock_timeout\n"
    )


def test_a_lock_without_a_name_is_reported_too(stub: Stub, run: Run) -> None:
    stub("exit 200")
    assert run(dnf_command.dnf(["makecache"], timeout=20, lock_timeout=0)).errors == (
        "gpu-07: expected a free lock of dnf within 0 seconds, found it locked by somebody; "
        "wait for that process to end or raise lock_timeout\n"
    )


def test_the_deadline_ends_it(stub: Stub, run: Run) -> None:
    stub("exec /bin/sleep 20")
    outcome = run(dnf_command.dnf(["--quiet", "makecache"], timeout=1, lock_timeout=5))
    assert (outcome.status, outcome.errors) == (
        124,
        "gpu-07: expected dnf makecache to finish within 1 seconds, found it still running, and stopped it; "
        "look at its output above, then raise the timeout or free the host\n",
    )


@pytest.mark.parametrize("spec", ["nvidia driver", "x; touch broken", "$(touch broken)"])
def test_names_are_quoted(stub: Stub, run: Run, tmp_path: Path, spec: str) -> None:
    stub("exit 0")
    run(dnf_command.install([spec], timeout=20, lock_timeout=5))
    assert not (tmp_path / "broken").exists()
    assert (tmp_path / "calls").read_text() == (
        f"dnf --assumeyes --setopt=exit_on_lock=True install --setopt=install_weak_deps=False -- {spec}\n"
    )
