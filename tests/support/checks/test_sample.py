"""Checks that end in each way, for the tests of the verification itself."""

from __future__ import annotations

import pytest

from gpufleet.health import Probe, unproven
from gpufleet.health.probe import Request

PROBE = {
    "user": "id -un",
    "swaps": "echo /dev/sda2",
    "slow": Request("sleep 30", 1),
    "noise": "echo text; echo oops >&2; exit 3",
}


def test_runs_as_root(probe: Probe) -> None:
    assert probe["user"].lines == ["root"]


def test_status_and_errors_are_kept(probe: Probe) -> None:
    noise = probe["noise"]
    assert (noise.text, noise.errors, noise.rc) == ("text", "oops", 3)


def test_data_are_the_inventorys(data: dict[str, object]) -> None:
    assert data["sample"] is True


def test_swap_is_off(probe: Probe) -> None:
    swaps = probe["swaps"].lines
    assert not swaps, f"expected no swap, found {', '.join(swaps)}"


@pytest.mark.parametrize("kind", ["soft", "hard"])
def test_memlock(probe: Probe, kind: str) -> None:
    unproven(f"the host's own {kind} limit is 8192 KB")


def test_slow_section(probe: Probe) -> None:
    assert probe["slow"].rc == 0


def test_skipped(probe: Probe) -> None:
    pytest.skip("not today")


def test_broken(probe: Probe) -> None:
    assert 1 / 0
