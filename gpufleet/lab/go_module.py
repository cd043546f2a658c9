"""Programs from a Go module of this repository: built once for a content, and kept while they are used."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gpufleet.errors import LabError
from gpufleet.lab import state
from gpufleet.lab.vendors import tree
from gpufleet.project import cache_dir

#: No C compiler and no paths of this machine in the result; the binaries are static.
VARIABLES = {"CGO_ENABLED": "0", "GOFLAGS": "-trimpath -mod=readonly -buildvcs=false"}
#: Days that an unused build stays.
DAYS = 30


@dataclass(frozen=True)
class GoModule:
    """A folder with go.mod, and what its programs are called where they cannot be built."""

    directory: Path
    programs: str

    def built(self, home: str, flags: str, make: Callable[[Path], None]) -> Path:
        """Return the directory below the cache that `make` filled, for these flags and this release of Go.

        It appears when it is complete. Raises LabError where the build fails.
        """
        directory = self.place(home, flags)
        with state.locked(directory.with_suffix(".lock")):
            if not directory.is_dir():
                partial = directory.with_suffix(".part")
                shutil.rmtree(partial, ignore_errors=True)
                partial.mkdir(parents=True)
                make(partial)
                partial.replace(directory)
            directory.touch()
        forget(directory.parent, directory)
        return directory

    def place(self, home: str, flags: str) -> Path:
        """Where a build is, or would be, for these flags and this release of Go."""
        digest = tree.digest(self.directory, self.go("env", "GOVERSION").strip(), flags, *VARIABLES.values())
        return cache_dir().absolute() / home / digest

    def go(self, *arguments: str) -> str:
        """Run go in the module and return its output; raises LabError when it fails."""
        command = ["env", *(f"{name}={value}" for name, value in VARIABLES.items()), "go", *arguments]
        done = subprocess.run(command, cwd=self.directory, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            last = ((done.stderr.strip() or done.stdout.strip()).splitlines() or ["no output"])[-1]
            found = f"exit status {done.returncode}: {last}"
            cure = "see that Go modules can be had (`go env GOPROXY`), then run the command again: what is built stays"
            raise LabError(f"go {arguments[0]}", expected=self.programs, found=found, cure=cure)
        return done.stdout


def forget(home: Path, kept: Path) -> None:
    """Remove builds that were not used for long, and what broken ones left."""
    for path in home.iterdir():
        if path.is_dir() and path != kept and time.time() - path.stat().st_mtime > DAYS * 86400:
            shutil.rmtree(path, ignore_errors=True)
