"""Where the programs of containerd come from: a directory of the operator's, else one build for a content."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gpufleet.errors import LabError, ToolMissingError
from gpufleet.lab.containerd import build, programs
from gpufleet.lab.containerd.programs import Programs
from gpufleet.stack.matrix.loader import load
from tests.support import go_tools
from tests.support.go_tools import program

#: Makes the programs that are asked for.
MAKE = 'cd "$2"; for one; do case $one in */cmd/*) : >"${one##*/}" ;; esac; done'


@pytest.fixture(autouse=True)
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of tools that comes first; nothing of the machine's own Go or programs is seen."""
    return go_tools.alone(tmp_path, monkeypatch, programs.VARIABLE)


@pytest.fixture
def go(tools: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Go that builds at once: the file in which it says what it was told."""
    return go_tools.with_go(tools, monkeypatch, MAKE)


def ready(folder: Path, says: str) -> Path:
    for name in build.NAMES:
        program(folder / name, f"#!/bin/sh\necho '{says}'\n")
    return folder


def test_nothing_to_build_with() -> None:
    assert programs.missing() == "neither the program go nor CONTAINERD_BIN_DIR"
    with pytest.raises(ToolMissingError) as refused:
        programs.ensure(print)
    assert str(refused.value) == (
        "containerd: expected the programs of containerd, found neither the program go nor CONTAINERD_BIN_DIR; "
        "install Go 1.26.8 or newer, or name a directory with ready programs in CONTAINERD_BIN_DIR"
    )


def test_every_line_is_built_once(go: Path) -> None:
    said: list[str] = []
    first, second = programs.ensure(said.append), programs.ensure(said.append)
    assert first == second
    assert [one.version for one in first] == ["2.2.6", "2.3.6"]
    for one in first:
        assert sorted(path.name for path in one.directory.iterdir()) == sorted(build.NAMES)
    source = "github.com/containerd/containerd/v2"
    commands = " ".join(f"{source}/cmd/{name}" for name in build.NAMES)
    built = [line for line in go.read_text().splitlines() if line.startswith("0 build")]
    assert [re.sub(r"-o \S+/ ", "", line) for line in built] == [
        "0 build -tags no_btrfs,osusergo,netgo,static_build,urfave_cli_no_docs -ldflags -s -w "
        f"-X {source}/version.Version=v{one.version} -X {source}/version.Package=containerd.io {commands}"
        for one in first
    ]
    assert said[0] == "containerd: building 2.2.6 from Go modules (once: some two minutes of CPU time)"
    assert len(said) == 4


def test_the_lines_are_releases_of_dockers_repository() -> None:
    """Each is of the series that its folder names, and has another schema than the one before."""
    matrix = load()
    offered = {row.version for row in matrix.containerd_releases if row.origin == "vendor"}
    lines = [build.Line(series) for series in build.LINES]
    assert {line.version for line in lines} <= offered
    assert [line.version.rpartition(".")[0] for line in lines] == list(build.LINES)
    series = [matrix.containerd_series(line.version) for line in lines]
    assert [row.config_version for row in series if row] == [3, 4]


def test_the_oldest_go_is_that_of_the_modules() -> None:
    found = [
        re.findall(r"^go (\S+)$", (build.MODULES / line / "go.mod").read_text(), re.MULTILINE)[0]
        for line in build.LINES
    ]
    assert max(found, key=lambda text: tuple(map(int, text.split(".")))) == build.OLDEST


def test_a_build_that_fails_says_of_what(go: Path, tools: Path) -> None:
    failing = 'case $1 in env) echo go1.26.8 ;; *) echo "no required module provides package x" >&2; exit 1 ;; esac\n'
    program(tools / "go", f"#!/bin/sh\n{failing}")
    with pytest.raises(LabError) as refused:
        programs.ensure(print)
    assert str(refused.value) == (
        "go build: expected the programs of containerd 2.2, found exit status 1: no required module provides package "
        "x; see that Go modules can be had (`go env GOPROXY`), then run the command again: what is built stays"
    )


@pytest.mark.parametrize(
    "says", ["containerd containerd.io v2.2.9 1c4457e", "containerd github.com/x/v2 2.2.9+unknown "]
)
def test_ready_programs_come_first(go: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str) -> None:
    folder = ready(tmp_path / "ready/a", says).parent
    ready(folder / "b", "containerd containerd.io v2.3.7 1c4457e")
    monkeypatch.setenv(programs.VARIABLE, str(folder))
    assert programs.ensure(print) == (Programs(folder / "a", "2.2.9"), Programs(folder / "b", "2.3.7"))
    assert programs.missing() == ""
    assert not go.exists()


def test_ready_programs_lie_in_folders(tmp_path: Path) -> None:
    ready(tmp_path, "containerd containerd.io v2.2.9 1c4457e")
    with pytest.raises(LabError) as refused:
        programs.ready(tmp_path)
    assert str(refused.value) == (
        f"CONTAINERD_BIN_DIR {tmp_path}: expected folders with containerd, containerd-shim-runc-v2, ctr, found none; "
        "make a folder there for each release, or take CONTAINERD_BIN_DIR out of the environment"
    )


def test_ready_programs_must_be_complete(tmp_path: Path) -> None:
    folder = ready(tmp_path / "a", "containerd containerd.io v2.2.9 1c4457e")
    (folder / "ctr").unlink()
    (folder / "containerd-shim-runc-v2").chmod(0o644)
    with pytest.raises(LabError) as refused:
        programs.ready(tmp_path)
    assert str(refused.value) == (
        f"CONTAINERD_BIN_DIR {folder}: expected all programs, found no containerd-shim-runc-v2, ctr; "
        "put them there, or take CONTAINERD_BIN_DIR out of the environment"
    )


def test_ready_programs_must_tell_their_release(tmp_path: Path) -> None:
    folder = ready(tmp_path / "a", "containerd github.com/containerd/containerd main.m 1c4457e")
    with pytest.raises(LabError) as refused:
        programs.ready(tmp_path)
    assert str(refused.value) == (
        f"{folder}/containerd: expected `containerd PACKAGE v1.2.3`, found "
        "`containerd github.com/containerd/containerd main.m 1c4457e`; put the programs of a release of containerd "
        "there"
    )
