"""The limit of inotify instances: raised where it is low, and named where it cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpufleet.lab import shared_limits


def run(path: Path) -> list[str]:
    """What is said."""
    said: list[str] = []
    shared_limits.raise_instances(said.append, lambda command: command, path)
    return said


def test_a_low_limit_is_raised_and_said(tmp_path: Path) -> None:
    path = tmp_path / "max_user_instances"
    path.write_text("128\n")
    assert run(path) == ["raising fs.inotify.max_user_instances from 128 to 1024: all container hosts share it"]
    assert path.read_text() == "1024\n"
    assert run(path) == []


@pytest.mark.parametrize("found", ["1024\n", "8192\n"])
def test_enough_is_left_alone(tmp_path: Path, found: str) -> None:
    path = tmp_path / "max_user_instances"
    path.write_text(found)
    assert run(path) == []
    assert path.read_text() == found


def test_a_kernel_that_refuses_is_named(tmp_path: Path) -> None:
    path = tmp_path / "max_user_instances"
    path.write_text("128\n")
    said: list[str] = []
    shared_limits.raise_instances(said.append, lambda _: ["false"], path)
    assert said == [
        "fs.inotify.max_user_instances: expected 1024 or more, which all container hosts share, found 128, "
        "and it cannot be raised here; set it as root, or keep labs below a dozen hosts"
    ]


def test_no_such_limit(tmp_path: Path) -> None:
    assert run(tmp_path / "max_user_instances") == []
