"""When a verification began: before anything is asked of a host, for what it finds may be older than its end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from gpufleet.health import run
from gpufleet.inventory.hosts import InventoryHost
from tests.support.verification import CHECKS


def test_it_began_before_its_first_process(monkeypatch: pytest.MonkeyPatch) -> None:
    times = [datetime.now(UTC)]

    def shares(hosts: Sequence[InventoryHost]) -> list[Sequence[InventoryHost]]:
        times.append(datetime.now(UTC))
        return []

    monkeypatch.setattr(run, "shares", shares)
    began = run.verify_hosts([InventoryHost("gpu-01", "ssh", (), {})], checks=CHECKS).began
    assert times[0] <= began <= times[1]
