"""Checks that end in each way, for the tests of the verification itself."""

from __future__ import annotations

from gpufleet.health import Probe, unproven

PROBE_TIMEOUT = 1

PROBE = {
    "user": "id -un",
    "swaps": "echo /dev/sda2",
    "slow": "sleep 30",
    "noise": "echo text; echo oops >&2; exit 3",
}


def test_runs_as_root(probe: Probe) -> None:
    assert probe["user"].lines == ["root"]


def test_keeps_status_and_errors(probe: Probe) -> None:
    noise = probe["noise"]
    assert (noise.text, noise.errors, noise.rc) == ("text", "oops", 3)


def test_swap_is_off(probe: Probe) -> None:
    swaps = probe["swaps"].lines
    assert not swaps, f"expected no swap, found {', '.join(swaps)}"


def test_memlock(probe: Probe) -> None:
    unproven("the host's own hard limit is 8192 KB")


def test_slow_section(probe: Probe) -> None:
    assert probe["slow"].rc == 0
