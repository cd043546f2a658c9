"""Tests that need the programs of Kubernetes, where they cannot be had: left out in one line, except in CI."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from gpufleet.lab.containerd import programs as containerd
from gpufleet.lab.control_plane import programs

#: Marker of such tests.
MARK = "kubernetes"


def chosen(
    items: Sequence[pytest.Item], missing: str, environment: Mapping[str, str]
) -> tuple[list[pytest.Item], list[pytest.Item]]:
    """Tests that run, and those that are left out for what is missing; where CI is set all run, and fail by it."""
    if not missing or environment.get("CI"):
        return list(items), []
    without = [item for item in items if item.get_closest_marker(MARK)]
    return [item for item in items if item not in without], without


def missing() -> str:
    """Why they cannot be had: those of the control plane, or containerd, which labs with one serve."""
    return programs.missing() or containerd.missing()


def told(count: int) -> str:
    """The line that says how many were left out, and why."""
    return f"left out: {count} tests of Kubernetes: {missing()}"
