"""What a host is asked: commands, requests with seconds of their own, and functions of what is declared for it."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from gpufleet.health.outcomes import CheckError
from gpufleet.health.probe import Probe, Request, Section
from gpufleet.health.prober import requests_of
from gpufleet.inventory.hosts import InventoryHost


def module(**names: Any) -> ModuleType:
    made = ModuleType("checks")
    vars(made).update(names)
    return made


def test_sections_of_every_kind() -> None:
    record = InventoryHost("gpu-07", "ssh", (), {"word": "there"})
    probe = {
        "plain": "true",
        "long": Request("sleep 1", 300),
        "by data": lambda host: f"echo {host.data['word']}",
        "by data, long": lambda host: Request(f"echo {host.data['word']}", 400),
    }
    assert requests_of([module(PROBE=probe, PROBE_TIMEOUT=60), module()], record) == {
        "checks\nplain": Request("true", 60),
        "checks\nlong": Request("sleep 1", 300),
        "checks\nby data": Request("echo there", 60),
        "checks\nby data, long": Request("echo there", 400),
    }


def test_a_section_that_took_too_long_says_what_it_had() -> None:
    late = Section("speed", "", 124, "timeout: sending signal TERM to command '/bin/sh'", seconds=300)
    with pytest.raises(CheckError) as refused:
        Probe({"speed": late})["speed"]
    assert str(refused.value) == "probe section speed: expected an answer within 300 s, found none"
