"""What every test with container hosts shares. A file brings its lab; the files of a folder share one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import abandoned
from tests.support.lab import lab_name

#: Takes longer than any other test, and is one: begun last, it would leave one of two processes without work.
LONGEST = "test_molecule.py"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs container hosts; what takes longest begins first."""
    items.sort(key=lambda item: item.path.name != LONGEST)
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.lab)


@pytest.fixture(scope="session")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A state directory of this run's own, so that a developer's labs are neither seen nor touched."""
    directory = tmp_path_factory.mktemp("state")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GPUFLEET_STATE_DIR", str(directory))
        patch.setenv("GPUFLEET_LAB", lab_name())
        abandoned.remove()
        yield directory
