"""What a host is asked: commands, requests with seconds of their own, and functions of what is declared for it."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from testinfra.host import Host

from gpufleet.health.outcomes import CheckError
from gpufleet.health.probe import Probe, Request, Section
from gpufleet.health.prober import ask, requests_of
from gpufleet.inventory.hosts import InventoryHost
from tests.support.played_ssh import of, ssh_that


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


@pytest.fixture
def gpu_07(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    """A host behind an `ssh` of ours that runs here what it is asked, as root to the probe, and keeps it."""
    ssh_that(f"""printf '%s\\n' "$text" >>{tmp_path}/texts; exec sh -c "$text" """, tmp_path / "bin", monkeypatch)
    return of("gpu-07")


def test_what_several_modules_ask_is_run_once(tmp_path: Path, gpu_07: Host) -> None:
    count = f"echo x >>{tmp_path}/runs; wc -l <{tmp_path}/runs"
    requests = {"a": Request(count), "b": Request("echo b"), "c": Request(count), "d": Request(count, 60)}
    found = ask(gpu_07, InventoryHost("gpu-07", "ssh", (), {}), requests)
    assert {name: (row.name, row.text, row.seconds) for name, row in found.items()} == {
        "a": ("a", "1", 20),
        "b": ("b", "b", 20),
        "c": ("c", "1", 20),
        "d": ("d", "2", 60),
    }
    assert (tmp_path / "texts").read_text().count("\nsection ") == 3


def test_a_section_that_took_too_long_says_what_it_had() -> None:
    late = Section("speed", "", 124, "timeout: sending signal TERM to command '/bin/sh'", seconds=300)
    with pytest.raises(CheckError) as refused:
        Probe({"speed": late})["speed"]
    assert str(refused.value) == "probe section speed: expected an answer within 300 s, found none"
