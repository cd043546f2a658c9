"""Every operation against its cases: a folder is an operation, a file in it is a case."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from pyinfra.api.command import StringCommand

from tests.support.unpatched import FakeHost, make_operation_tests

FOLDER = Path(__file__).parent


def _host(state: Any, facts: dict[str, Any]) -> Any:
    return FakeHost(state, "gpu-07", facts, {})


def _apt_get(arguments: Sequence[str], timeout: int, lock_timeout: int) -> StringCommand:
    return StringCommand(f"apt-get(timeout={timeout}, lock_timeout={lock_timeout})", *arguments)


def _dnf(arguments: Sequence[str], timeout: int, lock_timeout: int) -> StringCommand:
    return StringCommand(f"dnf(timeout={timeout}, lock_timeout={lock_timeout})", *arguments)


@pytest.fixture(autouse=True)
def plain() -> Iterator[None]:
    """Give the host a name, and say apt-get and dnf shortly: their scripts have tests in tests/unit/operations."""
    with (
        patch("pyinfra_testing.operations.create_host", _host),
        patch("gpufleet.operations.apt_get.apt_get", _apt_get),
        patch("gpufleet.operations.dnf_command.dnf", _dnf),
    ):
        yield


for folder in sorted(path for path in FOLDER.iterdir() if path.is_dir() and "." in path.name):
    globals()[f"Test_{folder.name}"] = make_operation_tests("gpufleet.operations", folder.name, folder)
