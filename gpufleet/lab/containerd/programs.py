"""The programs of containerd: ready ones of the operator's, else built from Go modules and kept by their content."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from gpufleet.errors import LabError, ToolMissingError
from gpufleet.lab import base
from gpufleet.lab.containerd import build

#: Names a directory with ready programs: a folder for each release, of any name.
VARIABLE = "CONTAINERD_BIN_DIR"
#: What containerd answers: `containerd containerd.io v2.2.6 1c4457e00fac`.
_VERSION = re.compile(r"^containerd \S+ v?([1-9]\d*\.\d+\.\d+)\b")
_CURE = f"install Go {build.OLDEST} or newer, or name a directory with ready programs in {VARIABLE}"


@dataclass(frozen=True)
class Programs:
    """A directory with every program of one release of containerd."""

    directory: Path
    version: str

    def path(self, name: str) -> Path:
        """Where a program is."""
        return self.directory / name


def missing() -> str:
    """Return why there can be no programs on this machine; nothing where there can."""
    if os.environ.get(VARIABLE) or shutil.which("go"):
        return ""
    return f"neither the program go nor {VARIABLE}"


def ensure(say: base.Say) -> tuple[Programs, ...]:
    """Return the programs of every release that the lab serves, built where they are missing.

    Raises ToolMissingError with nothing to build them with, LabError where some are missing or the build fails.
    """
    if reason := missing():
        raise ToolMissingError("containerd", expected="the programs of containerd", found=reason, cure=_CURE)
    if given := os.environ.get(VARIABLE):
        return ready(Path(given).absolute())
    return tuple(Programs(line.ensure(say), line.version) for line in map(build.Line, build.LINES))


def ready(directory: Path) -> tuple[Programs, ...]:
    """Return the programs below a directory; raises LabError where one is missing or none tells its version."""
    folders = sorted(path.parent for path in directory.glob("*/containerd"))
    if not folders:
        cure = f"make a folder there for each release, or take {VARIABLE} out of the environment"
        where, expected = f"{VARIABLE} {directory}", f"folders with {', '.join(build.NAMES)}"
        raise LabError(where, expected=expected, found="none", cure=cure)
    return tuple(_of(folder) for folder in folders)


def _of(folder: Path) -> Programs:
    lacking = [name for name in build.NAMES if not os.access(folder / name, os.X_OK)]
    if lacking:
        cure = f"put them there, or take {VARIABLE} out of the environment"
        raise LabError(f"{VARIABLE} {folder}", expected="all programs", found=f"no {', '.join(lacking)}", cure=cure)
    told = subprocess.run([folder / "containerd", "--version"], capture_output=True, text=True, check=False)
    if not (match := _VERSION.search(told.stdout)):
        found = f"`{(told.stdout or told.stderr).strip()}`"
        cure = "put the programs of a release of containerd there"
        raise LabError(f"{folder}/containerd", expected="`containerd PACKAGE v1.2.3`", found=found, cure=cure)
    return Programs(folder, match[1])
