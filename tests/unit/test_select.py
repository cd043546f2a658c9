"""Choosing hosts by limits."""

from __future__ import annotations

import pytest

from gpufleet import inventory
from gpufleet.errors import InventoryError
from tests.support.inventories import inventory_of

RACKS = inventory_of(
    {"gpu-01": {}, "gpu-02": {}, "gpu-11": {}, "cpu-01": {}},
    {"rack_a": ["gpu-01", "gpu-02"], "rack_b": ["gpu-11", "cpu-01"]},
)


@pytest.mark.parametrize(
    ("limit", "hosts"),
    [
        ([], ["gpu-01", "gpu-02", "gpu-11", "cpu-01"]),
        (["all"], ["gpu-01", "gpu-02", "gpu-11", "cpu-01"]),
        (["rack_b"], ["gpu-11", "cpu-01"]),
        (["cpu-*", "gpu-0?"], ["gpu-01", "gpu-02", "cpu-01"]),
        (["gpu-11", "rack_b"], ["gpu-11", "cpu-01"]),
    ],
)
def test_select(limit: list[str], hosts: list[str]) -> None:
    assert inventory.select(RACKS, limit) == hosts


@pytest.mark.parametrize(
    ("limit", "cure"),
    [
        ("rack_c", "did you mean rack_b?"),
        ("gpu-12", "did you mean gpu-11?"),
        ("storage*", "known groups: all, rack_a, rack_b"),
    ],
)
def test_unknown_limit(limit: str, cure: str) -> None:
    with pytest.raises(InventoryError) as caught:
        inventory.select(RACKS, ["rack_a", limit])
    assert str(caught.value) == (
        f"fleet.py: expected a limit that is a host, a group or a glob matching hosts, found {limit}; {cure}"
    )
