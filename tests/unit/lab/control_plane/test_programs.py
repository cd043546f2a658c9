"""Where the programs of Kubernetes come from: a directory of the operator's, else one build for a content."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from gpufleet.errors import LabError, ToolMissingError
from gpufleet.lab import go_module
from gpufleet.lab.control_plane import build, programs
from gpufleet.lab.control_plane.programs import Programs
from tests.support import go_tools
from tests.support.go_tools import program

#: Makes the file that is asked for.
MAKE = "printf '#!/bin/sh\\n' >\"$2\""


@pytest.fixture(autouse=True)
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of tools that comes first; nothing of the machine's own Go or programs is seen."""
    return go_tools.alone(tmp_path, monkeypatch, programs.VARIABLE)


@pytest.fixture
def go(tools: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Go that builds at once: the file in which it says what it was told."""
    return go_tools.with_go(tools, monkeypatch, MAKE)


def test_nothing_to_build_with() -> None:
    assert programs.missing() == "neither the program go nor KUBE_BIN_DIR"
    with pytest.raises(ToolMissingError) as refused:
        programs.ensure(print)
    assert str(refused.value) == (
        "kubernetes: expected the programs of Kubernetes, found neither the program go nor KUBE_BIN_DIR; "
        "install Go 1.26 or newer, or name a directory with ready programs in KUBE_BIN_DIR"
    )


def test_a_content_is_built_once(go: Path) -> None:
    said: list[str] = []
    first, second = programs.ensure(said.append), programs.ensure(said.append)
    assert first == second
    release = build.CURRENT.version
    assert (first.version, first.minor) == (release, "1.36")
    assert builds(go) == [
        f"0 build -modfile=go.mod -tags= -ldflags {build.stamps(release)} ",
        "0 build -ldflags -s -w ",
    ]
    assert said[0] == f"kubernetes: building {release} from Go modules (once: some eight minutes of CPU time)"
    assert len(said) == 2
    assert sorted(path.name for path in first.directory.iterdir()) == sorted([*build.NAMES, build.BINARY])
    assert first.path("kubelet").resolve() == first.path("etcd").resolve() == first.directory / build.BINARY


def builds(go: Path) -> list[str]:
    """What go was told to build, without where."""
    return [line.split("-o")[0] for line in go.read_text().splitlines() if line.startswith("0 build")]


def test_the_older_minor_is_built_where_it_is_asked_for(go: Path) -> None:
    current = programs.ensure(print)
    told, said = len(builds(go)), list[str]()
    assert programs.older(current, said.append, asked=False) == ()
    assert (len(builds(go)), said) == (told, [])
    found = programs.older(current, said.append, asked=True)
    release = build.OLDER.version
    assert [(one.version, one.minor) for one in found] == [(release, "1.35")]
    assert builds(go)[told:] == [f"0 build -modfile=1.35.mod -tags=nodes -ldflags {build.stamps(release)} "]
    assert said[0] == f"kubernetes: building {release} from Go modules (once: some seven minutes of CPU time)"
    assert sorted(path.name for path in found[0].directory.iterdir()) == sorted([*build.ON_NODES, build.BINARY])
    assert programs.older(current, said.append, asked=False) == found
    assert (current.directory.is_dir(), len(said)) == (True, 2)


def test_every_program_tells_the_release() -> None:
    words = build.stamps("1.36.3").split()
    for package in ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version"):
        assert f"{package}.gitVersion=v1.36.3" in words
        assert {f"{package}.gitMajor=1", f"{package}.gitMinor=36"} < set(words)
    assert "main.crictlVersion=1.36.0" in words


def test_another_toolchain_is_another_build(go: Path, tools: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = programs.ensure(print)
    go_tools.with_go(tools, monkeypatch, MAKE, "go1.26.9")
    assert programs.ensure(print).directory != before.directory


def test_a_build_that_fails_leaves_nothing(go: Path, tools: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failing = 'case $1 in env) echo go1.26.8 ;; *) echo "no required module provides package x" >&2; exit 1 ;; esac\n'
    program(tools / "go", f"#!/bin/sh\n{failing}")
    with pytest.raises(LabError) as refused:
        programs.ensure(print)
    assert str(refused.value) == (
        "go build: expected the programs of Kubernetes, found exit status 1: no required module provides package x; "
        "see that Go modules can be had (`go env GOPROXY`), then run the command again: what is built stays"
    )
    go_tools.with_go(tools, monkeypatch, MAKE)
    assert programs.ensure(print).path("kubelet").exists()


def test_builds_that_nobody_uses_go(go: Path) -> None:
    used = programs.ensure(print).directory
    old, recent = used.with_name("old"), used.with_name("recent")
    for path, days in ((old, go_module.DAYS + 1), (recent, go_module.DAYS - 1)):
        path.mkdir()
        os.utime(path, (time.time() - days * 86400,) * 2)
    assert programs.ensure(print).directory == used
    assert not old.exists()
    assert recent.is_dir()


def ready(folder: Path, says: str, names: Sequence[str] = build.NAMES) -> Path:
    for name in names:
        program(folder / name, f"#!/bin/sh\necho '{says}'\n")
    return folder


def test_ready_programs_come_first(go: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = ready(tmp_path / "ready", "Kubernetes v1.35.4")
    monkeypatch.setenv(programs.VARIABLE, str(folder))
    assert programs.ensure(print) == Programs(folder, "1.35.4")
    assert programs.missing() == ""
    assert not go.exists()


def test_ready_programs_of_an_older_minor(go: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = ready(tmp_path / "ready", "Kubernetes v1.36.3")
    monkeypatch.setenv(programs.VARIABLE, str(folder))
    current = programs.ensure(print)
    assert programs.older(current, print, asked=False) == ()
    with pytest.raises(LabError) as refused:
        programs.older(current, print, asked=True)
    assert str(refused.value) == (
        f"KUBE_BIN_DIR {folder}/older: expected all programs, found no crictl, kubeadm, kubectl, kubelet; "
        "put them there, or take KUBE_BIN_DIR out of the environment"
    )
    ready(folder / "older", "Kubernetes v1.34.9", build.ON_NODES)
    assert programs.older(current, print, asked=False) == (Programs(folder / "older", "1.34.9"),)
    assert programs.older(current, print, asked=True) == (Programs(folder / "older", "1.34.9"),)
    assert not go.exists()


def test_ready_programs_that_are_of_no_older_minor(go: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = ready(tmp_path / "ready", "Kubernetes v1.9.3")
    ready(folder / "older", "Kubernetes v1.10.0", build.ON_NODES)
    monkeypatch.setenv(programs.VARIABLE, str(folder))
    with pytest.raises(LabError) as refused:
        programs.older(programs.ensure(print), print, asked=True)
    assert str(refused.value) == (
        f"{folder}/older: expected an older minor than 1.9, found Kubernetes 1.10.0; "
        "put the programs of an older one there, or take that folder out of KUBE_BIN_DIR"
    )


def test_ready_programs_must_be_complete(tmp_path: Path) -> None:
    folder = ready(tmp_path / "ready", "Kubernetes v1.35.4")
    (folder / "etcd").unlink()
    (folder / "kubeadm").chmod(0o644)
    with pytest.raises(LabError) as refused:
        programs.ready(folder)
    assert str(refused.value) == (
        f"KUBE_BIN_DIR {folder}: expected all programs, found no etcd, kubeadm; "
        "put them there, or take KUBE_BIN_DIR out of the environment"
    )


def test_ready_programs_must_tell_their_release(tmp_path: Path) -> None:
    folder = ready(tmp_path / "ready", "Kubernetes v0.0.0-master+$Format:%H$")
    with pytest.raises(LabError) as refused:
        programs.ready(folder)
    assert str(refused.value) == (
        f"{folder}/kubelet: expected `Kubernetes v1.2.3`, found `Kubernetes v0.0.0-master+$Format:%H$`; "
        "put the programs of a release of Kubernetes there"
    )
