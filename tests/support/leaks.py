"""What a test run may leave behind: nothing. A census before and after, and the difference."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from gpufleet.project import ROOT
from tests.support.names import run_name

#: Names in the temporary directory that only this project's tools make.
TEMPORARY = ("gpufleet*", "pyinfra*", "mol-*", "cm-*")


#: The Docker daemon belongs to the machine, also when a run had to start it.
MACHINE = ("dockerd", "containerd")


@dataclass(frozen=True)
class Census:
    """Everything of ours that outlives a process: sorted names, each with its kind."""

    things: frozenset[str]

    def leaks(self, before: Census) -> list[str]:
        """What is here now and was not before."""
        return sorted(self.things - before.things)


def is_counted(config: pytest.Config) -> bool:
    """Whether a session is a run of the project's tests, and not a part of one.

    Its workers are parts of it. So are verifications of hosts, as molecule runs them: several go on at a time, and each
    would take for its own leaks what the others have at work.
    """
    return not hasattr(config, "workerinput") and config.getoption("inventory", None) is None


def census() -> Census:
    """Count containers, networks, processes and files of ours."""
    return Census(frozenset([*docker("container"), *docker("network"), *processes(), *temporary_files(), *strays()]))


def docker(kind: str) -> list[str]:
    """Containers or networks of this run's labs."""
    return [f"{kind} {name}" for name in of_labs(kind, run_name())]


def of_labs(kind: str, beginning: str) -> list[str]:
    """Names of containers or networks of labs whose names begin so; none where there is no Docker that answers."""
    if shutil.which("docker") is None:
        return []
    every = ["--all"] if kind == "container" else []
    field = "{{.Names}}" if kind == "container" else "{{.Name}}"
    command = ["docker", kind, "ls", *every, "--filter", f"name=gpufleet-{beginning}", "--format", field]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()


def processes() -> list[str]:
    """Processes that were started for this run's labs, which their environment tells."""
    mark = f"GPUFLEET_LAB={run_name()}".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            words = (path / "cmdline").read_bytes().decode(errors="replace").split("\0")
            ours = mark in (path / "environ").read_bytes()
        except OSError:  # ended while we looked
            continue
        if ours and int(path.name) != os.getpid() and not words[0].endswith(MACHINE):
            found.append(f"process {' '.join(words)[:120]}")
    return found


def temporary_files() -> list[str]:
    """Files of ours in the temporary directory."""
    base = Path(tempfile.gettempdir())
    return [f"file {path}" for pattern in TEMPORARY for path in base.glob(pattern)]


def strays() -> list[str]:
    """Files in the checkout that git neither tracks nor ignores."""
    command = ["git", "-C", str(ROOT), "ls-files", "--others", "--exclude-standard"]
    listed = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    return [f"file {name}" for name in listed.splitlines()]
