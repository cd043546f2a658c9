"""Makes this directory runnable by plain pytest: `pytest tests/verify --inventory inventories/lab.py`.

Without an inventory there are no hosts to check and `pytest tests` shall stay clean; the files are passed over.
"""

from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Load our plugin, whose options this directory needs."""
    pluginmanager.import_plugin("gpufleet.health.plugin")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Pass over the checks where no inventory is given."""
    given = config.getoption("inventory", None) or config.getoption("verify_directory", None)
    return None if given else True
