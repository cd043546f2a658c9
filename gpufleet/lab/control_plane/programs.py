"""The programs of Kubernetes: ready ones of the operator's, else built from Go modules and kept by their content."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gpufleet.errors import LabError, ToolMissingError
from gpufleet.lab import base
from gpufleet.lab.control_plane import build
from gpufleet.stack.versions import numbers

#: Names a directory with ready programs, all of one release, and where it has them a folder with those of a node of
#: an older minor.
VARIABLE, OLDER = "KUBE_BIN_DIR", "older"
#: What is asked for its version, and what it answers.
_SPEAKER, _VERSION = "kubelet", re.compile(r"Kubernetes v([1-9]\d*\.\d+\.\d+)\s")
_CURE = f"install Go {build.OLDEST} or newer, or name a directory with ready programs in {VARIABLE}"


@dataclass(frozen=True)
class Programs:
    """A directory with programs of one release of Kubernetes: all, or those of a node."""

    directory: Path
    version: str

    @property
    def minor(self) -> str:
        """The release's minor, such as `1.36`."""
        return ".".join(self.version.split(".")[:2])

    def path(self, name: str) -> Path:
        """Where a program is."""
        return self.directory / name


def missing() -> str:
    """Return why there can be no programs on this machine; nothing where there can."""
    if os.environ.get(VARIABLE) or shutil.which("go"):
        return ""
    return f"neither the program go nor {VARIABLE}"


def ensure(say: base.Say) -> Programs:
    """Return the programs, built where they are missing.

    Raises ToolMissingError with nothing to build them with, LabError where some are missing or the build fails.
    """
    if reason := missing():
        raise ToolMissingError("kubernetes", expected="the programs of Kubernetes", found=reason, cure=_CURE)
    if given := os.environ.get(VARIABLE):
        return ready(Path(given).absolute())
    return Programs(build.CURRENT.ensure(say), build.CURRENT.version)


def older(current: Programs, say: base.Say, *, asked: bool) -> tuple[Programs, ...]:
    """Return the programs of a node of an older minor: built where they are asked for, else if they are at hand.

    All labs share one repository, and what one asked for stays in it while another one comes up. Raises LabError as
    `ensure` does, and for ready programs that are of no older minor.
    """
    if given := os.environ.get(VARIABLE):
        folder = Path(given).absolute() / OLDER
        return (_older(current, ready(folder, build.ON_NODES)),) if asked or folder.is_dir() else ()
    directory = build.OLDER.ensure(say) if asked else build.OLDER.kept
    return (Programs(directory, build.OLDER.version),) if directory else ()


def _older(current: Programs, found: Programs) -> Programs:
    if numbers(found.minor) >= numbers(current.minor):
        cure = f"put the programs of an older one there, or take that folder out of {VARIABLE}"
        where, said = f"{found.directory}", f"Kubernetes {found.version}"
        raise LabError(where, expected=f"an older minor than {current.minor}", found=said, cure=cure)
    return found


def ready(directory: Path, names: Sequence[str] = build.NAMES) -> Programs:
    """Return the programs of a directory; raises LabError where one is missing or none tells its version."""
    lacking = [name for name in names if not os.access(directory / name, os.X_OK)]
    if lacking:
        cure = f"put them there, or take {VARIABLE} out of the environment"
        raise LabError(f"{VARIABLE} {directory}", expected="all programs", found=f"no {', '.join(lacking)}", cure=cure)
    told = subprocess.run([directory / _SPEAKER, "--version"], capture_output=True, text=True, check=False)
    if not (match := _VERSION.search(told.stdout)):
        found = f"`{(told.stdout or told.stderr).strip()}`"
        cure = "put the programs of a release of Kubernetes there"
        raise LabError(f"{directory / _SPEAKER}", expected="`Kubernetes v1.2.3`", found=found, cure=cure)
    return Programs(directory, match[1])
