from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.lab_emulation.host import Host


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path / "host", "hgx-h100")


@pytest.fixture
def with_driver(host: Host) -> Host:
    host.install_driver()
    return host
