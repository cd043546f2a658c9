"""What a lab with a control plane has before its hosts are made: packages of one minor, or of an older one beside."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpufleet.lab.control_plane import build, control_plane, programs
from gpufleet.lab.state import State
from gpufleet.lab.vendors import tree


@pytest.fixture
def ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Ready programs of one release; the cache and the state are a test's own."""
    folder = tmp_path / "ready"
    for variable, path in (("XDG_CACHE_HOME", "cache"), ("GPUFLEET_STATE_DIR", "state"), (programs.VARIABLE, "ready")):
        monkeypatch.setenv(variable, str(tmp_path / path))
    of_release(folder, "1.36.3", build.NAMES)
    return folder


def of_release(folder: Path, release: str, names: tuple[str, ...]) -> None:
    folder.mkdir()
    for name in names:
        (folder / name).write_text(f"#!/bin/sh\necho 'Kubernetes v{release}'\n")
        (folder / name).chmod(0o755)


def served() -> list[str]:
    """Minors whose packages the archive serves."""
    return sorted(path.parent.name for path in (tree.root() / "kubernetes/core:/stable:").glob("*/deb"))


def test_a_lab_has_packages_of_its_own_minor(ready: Path) -> None:
    lab = State("demo")
    found = control_plane.planned(lab, [], [], print, asked=True)
    assert found == programs.Programs(ready, "1.36.3")
    assert (served(), lab.kubernetes.read_text()) == (["v1.36"], "1.36.3\n")


def test_an_older_minor_is_beside_where_it_is_asked_for(ready: Path) -> None:
    of_release(ready / programs.OLDER, "1.35.8", build.ON_NODES)
    lab = State("demo")
    found = control_plane.planned(lab, [], [], print, asked=False, older=True)
    assert found == programs.Programs(ready, "1.36.3")
    assert (served(), lab.kubernetes.read_text()) == (["v1.35", "v1.36"], "1.36.3\n")


def test_a_lab_that_does_not_ask_leaves_it_served(ready: Path) -> None:
    of_release(ready / programs.OLDER, "1.35.8", build.ON_NODES)
    control_plane.planned(State("demo"), [], [], print, asked=False, older=True)
    control_plane.planned(State("other"), [], [], print, asked=True)
    assert served() == ["v1.35", "v1.36"]
