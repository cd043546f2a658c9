"""The script around apt-get, run by a real shell with stub programs in the place of apt's and dpkg's."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from pyinfra.api.command import StringCommand
from pyinfra.context import ctx_host

from gpufleet.operations import apt_get

LOCKED = "echo 'E: Could not get lock /var/cache/apt/archives/lock. It is held by process 42 (apt-get)' >&2; exit 100"
INTERRUPTED = "echo \"E: dpkg was interrupted, you must manually run 'dpkg --configure -a'\" >&2; exit 100"
UPDATE = "apt-get --quiet --option=Dpkg::Use-Pty=0 update"

Stub = Callable[[str, str], None]


class Outcome(NamedTuple):
    """How a command ended, and how it called the stub programs."""

    status: int
    errors: str
    calls: list[str]


class _Host:
    name = "gpu-07"


@pytest.fixture(autouse=True)
def _named_host() -> Iterator[None]:
    with ctx_host.use(_Host()):
        yield


@pytest.fixture
def stub(tmp_path: Path) -> Stub:
    """Write a program that is found before the system's and notes in `calls` how it was called."""
    (tmp_path / "bin").mkdir()

    def write(name: str, body: str) -> None:
        path = tmp_path / "bin" / name
        path.write_text(f'#!/bin/sh\necho "{name} $*" >>{tmp_path}/calls\ncd {tmp_path}\n{body}\n')
        path.chmod(0o755)

    write("dpkg", "exit 0")
    write("apt-mark", "exit 0")
    return write


@pytest.fixture
def run(tmp_path: Path) -> Callable[[StringCommand], Outcome]:
    def execute(command: StringCommand) -> Outcome:
        environment = {"PATH": f"{tmp_path}/bin:{os.environ['PATH']}", "TMPDIR": str(tmp_path)}
        script = ["sh", "-c", command.get_raw_value()]
        done = subprocess.run(script, env=environment, text=True, capture_output=True, timeout=30, check=False)
        return Outcome(done.returncode, done.stderr, (tmp_path / "calls").read_text().splitlines())

    return execute


Run = Callable[[StringCommand], Outcome]


def test_apt_is_asked_once_and_its_warnings_are_shown(stub: Stub, run: Run) -> None:
    stub("apt-get", 'echo "W: $DEBIAN_FRONTEND" >&2')
    assert run(apt_get.apt_get(["update"], timeout=20, lock_timeout=5)) == (0, "W: noninteractive\n", [UPDATE])


def test_an_error_is_shown_and_not_tried_again(stub: Stub, run: Run) -> None:
    stub("apt-get", "echo 'E: Unable to locate package x' >&2; exit 100")
    outcome = run(apt_get.apt_get(["update"], timeout=20, lock_timeout=5))
    assert outcome == (100, "E: Unable to locate package x\n", [UPDATE])


def test_a_lock_is_waited_for(stub: Stub, run: Run) -> None:
    stub("apt-get", f"[ -e second ] && exit 0; touch second; {LOCKED}")
    assert run(apt_get.apt_get(["update"], timeout=20, lock_timeout=5)) == (0, "", [UPDATE, UPDATE])


def test_a_lock_that_stays_is_reported_with_its_holder(stub: Stub, run: Run) -> None:
    stub("apt-get", LOCKED)
    outcome = run(apt_get.apt_get(["update"], timeout=20, lock_timeout=0))
    assert (outcome.status, outcome.errors) == (
        100,
        "gpu-07: expected a free lock within 0 seconds, found /var/cache/apt/archives/lock held by process 42 "
        "(apt-get); wait for that process to end or raise lock_timeout\n",
    )


def test_an_interrupted_run_is_finished_first(stub: Stub, run: Run) -> None:
    stub("apt-get", f"[ -e second ] && exit 0; touch second; {INTERRUPTED}")
    outcome = run(apt_get.apt_get(["update"], timeout=20, lock_timeout=5))
    assert outcome == (0, "", [UPDATE, "dpkg --configure -a", UPDATE])


def test_the_deadline_ends_it(stub: Stub, run: Run) -> None:
    stub("apt-get", "exec /bin/sleep 20")
    outcome = run(apt_get.apt_get(["update"], timeout=1, lock_timeout=5))
    assert (outcome.status, outcome.errors) == (
        124,
        "gpu-07: expected apt-get update to finish within 1 seconds, found it still running, and stopped it; "
        "look at its output above, then raise the timeout or free the host\n",
    )


@pytest.mark.parametrize("status", [0, 100])
def test_holds_outlast_an_installation(stub: Stub, run: Run, status: int) -> None:
    stub("apt-get", f"exit {status}")
    stub("apt-mark", '[ "$1" = showhold ] && echo "dkms gone"')
    stub("dpkg-query", "echo 'installed dkms'; echo 'config-files gone'")
    outcome = run(apt_get.install(["dkms=3.0.10-8"], timeout=20, lock_timeout=5))
    assert outcome.status == status
    assert outcome.calls[0] == "apt-mark showhold"
    assert outcome.calls[1].endswith(" -- dkms=3.0.10-8")
    assert outcome.calls[-1] == "apt-mark hold dkms"


def test_names_are_quoted(stub: Stub, run: Run, tmp_path: Path) -> None:
    stub("apt-get", 'for word; do echo "$word" >>words; done')
    run(apt_get.install(["a'b c", "$(touch broken)"], timeout=20, lock_timeout=5))
    assert (tmp_path / "words").read_text().splitlines()[-3:] == ["--", "a'b c", "$(touch broken)"]
    assert not (tmp_path / "broken").exists()
