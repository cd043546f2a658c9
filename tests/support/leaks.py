"""What a test run may leave behind: nothing. A census before and after, and the difference."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from gpufleet.project import ROOT

#: Names in the temporary directory that only this project's tools make.
TEMPORARY = ("gpufleet*", "pyinfra*", "mol-*", "cm-*")


#: Marks that together tell a process of ours: the lab's archive server, an SSH master of a verification, a wave.
MARKS = (("gpufleet-archive", "test-"), ("ssh", "gpufleet-verify"), ("gpufleet.converge.wave", ""))


@dataclass(frozen=True)
class Census:
    """Everything of ours that outlives a process: sorted names, each with its kind."""

    things: frozenset[str]

    def leaks(self, before: Census) -> list[str]:
        """What is here now and was not before."""
        return sorted(self.things - before.things)


def census() -> Census:
    """Count containers, networks, processes and files of ours."""
    return Census(frozenset([*docker("container"), *docker("network"), *processes(), *temporary_files(), *strays()]))


def docker(kind: str) -> list[str]:
    """Containers or networks whose name says that they are ours."""
    if shutil.which("docker") is None:
        return []
    every = ["--all"] if kind == "container" else []
    command = ["docker", kind, "ls", *every, "--filter", "name=gpufleet-test-", "--format", "{{.Name}}"]
    if kind == "container":
        command[-1] = "{{.Names}}"
    listed = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    return [f"{kind} {name}" for name in listed.split()]


def processes() -> list[str]:
    """Processes outside containers that carry the project's mark in their command line: lab servers, SSH masters."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:  # ended while we looked
            continue
        if any(all(mark in command for mark in marks) for marks in MARKS):
            found.append(f"process {command[:120]}")
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
