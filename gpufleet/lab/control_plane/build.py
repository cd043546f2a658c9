"""Kubernetes from Go modules: one binary with a link for each program, built once for a content of the module.

The module has its requirements twice: go.mod for the release that a lab runs, and another file for an older minor, of
which there are a node's programs alone.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path

from gpufleet.lab import base
from gpufleet.lab.control_plane import beside
from gpufleet.lab.go_module import GoModule
from gpufleet.project import ROOT

MODULE = GoModule(ROOT / "tests/support/kube", "the programs of Kubernetes")
#: The oldest Go that the module's own lines `go` ask for.
OLDEST = "1.26"
BINARY, WORKLOAD, HOME = "kube", "workload", "kube"
#: What a node has of all programs.
ON_NODES = ("crictl", "kubeadm", "kubectl", "kubelet")
NAMES = (
    *("crictl", "etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubeadm", "kubectl", "kubelet"),
    WORKLOAD,
)
_VERSION = re.compile(r"^\tk8s\.io/kubernetes v(\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class Line:
    """A minor of Kubernetes: the module's file with its requirements, and which programs are made of it."""

    requirements: str
    names: tuple[str, ...]
    tags: str
    #: Minutes of one processor with nothing compiled before.
    minutes: str

    @property
    def version(self) -> str:
        """The release, such as `1.36.3`."""
        return str(_VERSION.findall((MODULE.directory / self.requirements).read_text(encoding="utf-8"))[0])

    @property
    def flags(self) -> tuple[str, ...]:
        """What go is told beyond the names."""
        return (f"-modfile={self.requirements}", f"-tags={self.tags}", "-ldflags", stamps(self.version))

    @property
    def kept(self) -> Path | None:
        """The directory of the programs, where they are built already."""
        directory = MODULE.place(HOME, " ".join(self.flags))
        return directory if directory.is_dir() else None

    def ensure(self, say: base.Say) -> Path:
        """Return the directory of the programs, built unless they are; raises LabError where the build fails."""
        return MODULE.built(HOME, " ".join(self.flags), lambda directory: self._make(directory, say))

    def _make(self, directory: Path, say: base.Say) -> None:
        say(f"kubernetes: building {self.version} from Go modules (once: some {self.minutes} minutes of CPU time)")
        began = time.monotonic()
        MODULE.go("build", *self.flags, "-o", f"{directory / BINARY}", ".")
        for name in self.names:
            if name == WORKLOAD:
                MODULE.go("build", "-ldflags", "-s -w", "-o", f"{directory / WORKLOAD}", f"./{WORKLOAD}")
            else:
                (directory / name).symlink_to(BINARY)
        say(f"kubernetes: built {self.version} in {time.monotonic() - began:.0f} seconds")


#: What a lab runs, and what its nodes may come from.
CURRENT = Line("go.mod", NAMES, "", "eight")
OLDER = Line("1.35.mod", ON_NODES, "nodes", "seven")


def stamps(release: str) -> str:
    """Linker flags by which every program tells the release, as Kubernetes' own build sets them."""
    major, minor, _ = release.split(".")
    values = {"gitVersion": f"v{release}", "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    told = [f"-X {one}.{name}={value}" for one in packages for name, value in values.items()]
    return " ".join(["-s -w", *told, f"-X main.crictlVersion={beside.versions(release)['cri-tools']}"])
