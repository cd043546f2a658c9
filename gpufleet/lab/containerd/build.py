"""containerd from Go modules, one for each line; runc is not among them, as it needs a C compiler."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path

from gpufleet.lab import base
from gpufleet.lab.go_module import GoModule
from gpufleet.project import ROOT

MODULES = ROOT / "tests/support/containerd"
#: Series, each with another schema of its configuration; a folder of MODULES names the release.
LINES = ("2.2", "2.3")
NAMES = ("containerd", "containerd-shim-runc-v2", "ctr")
#: The oldest Go that all modules' own lines `go` ask for.
OLDEST = "1.26.8"
_SOURCE = "github.com/containerd/containerd/v2"
#: As containerd's own Makefile has them for static programs; its snapshotter for btrfs needs a C library.
_TAGS = "no_btrfs,osusergo,netgo,static_build,urfave_cli_no_docs"
_VERSION = re.compile(rf"^\t{re.escape(_SOURCE)} v(\S+)", re.MULTILINE)


@dataclass(frozen=True)
class Line:
    """A series of containerd, such as `2.2`."""

    series: str

    @property
    def module(self) -> GoModule:
        """The module that names its release."""
        return GoModule(MODULES / self.series, f"the programs of containerd {self.series}")

    @property
    def version(self) -> str:
        """The release, such as `2.2.6`."""
        return str(_VERSION.findall((self.module.directory / "go.mod").read_text(encoding="utf-8"))[0])

    def ensure(self, say: base.Say) -> Path:
        """Return the directory of the programs, built unless they are; raises LabError where the build fails."""
        flags = f"{_TAGS} {stamps(self.version)}"
        return self.module.built("containerd", flags, lambda directory: self._make(directory, say))

    def _make(self, directory: Path, say: base.Say) -> None:
        say(f"containerd: building {self.version} from Go modules (once: some two minutes of CPU time)")
        began, sources = time.monotonic(), (f"{_SOURCE}/cmd/{name}" for name in NAMES)
        self.module.go("build", "-tags", _TAGS, "-ldflags", stamps(self.version), "-o", f"{directory}/", *sources)
        say(f"containerd: built {self.version} in {time.monotonic() - began:.0f} seconds")


def stamps(release: str) -> str:
    """Linker flags by which every program tells the release and its package, as Docker's build sets them."""
    values = {"Version": f"v{release}", "Package": "containerd.io"}
    return " ".join(["-s -w", *(f"-X {_SOURCE}/version.{name}={value}" for name, value in values.items())])
