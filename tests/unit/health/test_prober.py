"""What a host is asked: commands, requests with seconds of their own, and functions of what is declared for it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from testinfra.backend.base import CommandResult
from testinfra.host import Host

from gpufleet.health.outcomes import CheckError
from gpufleet.health.probe import Probe, Request, Section
from gpufleet.health.prober import ask, requests_of
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


class Shell:
    """Runs what a host would be asked here, and counts; the probe wants root, so it says so."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def run(self, text: str) -> CommandResult:
        self.texts.append(text)
        done = subprocess.run(["sh", "-c", text.replace("$(id -u)", "0")], capture_output=True, check=True)
        return CommandResult(Host.get_host("local://").backend, 0, text.encode(), done.stdout, done.stderr)


def test_what_several_modules_ask_is_run_once(tmp_path: Path) -> None:
    count = f"echo x >>{tmp_path}/runs; wc -l <{tmp_path}/runs"
    requests = {"a": Request(count), "b": Request("echo b"), "c": Request(count), "d": Request(count, 60)}
    shell: Any = Shell()
    found = ask(shell, InventoryHost("gpu-07", "ssh", (), {}), requests)
    assert {name: (row.name, row.text, row.seconds) for name, row in found.items()} == {
        "a": ("a", "1", 20),
        "b": ("b", "b", 20),
        "c": ("c", "1", 20),
        "d": ("d", "2", 60),
    }
    assert shell.texts[0].count("\nsection ") == 3


def test_a_section_that_took_too_long_says_what_it_had() -> None:
    late = Section("speed", "", 124, "timeout: sending signal TERM to command '/bin/sh'", seconds=300)
    with pytest.raises(CheckError) as refused:
        Probe({"speed": late})["speed"]
    assert str(refused.value) == "probe section speed: expected an answer within 300 s, found none"
