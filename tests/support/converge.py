"""Inventories of the lab's hosts that a test makes up: the same hosts under other names, reached in other ways."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from gpufleet.converge.events import Event
from gpufleet.converge.results import RunResult
from gpufleet.converge.run import drive
from gpufleet.project import ROOT
from tests.support.lab import Fleet

DEPLOYS = ROOT / "tests/support/deploys"
REACH = ("_sudo", "ssh_hostname", "ssh_user", "ssh_key", "ssh_known_hosts_file", "ssh_strict_host_key_checking")

Hosts = dict[str, dict[str, Any]]


def reach(fleet: Fleet) -> Hosts:
    """How the hosts of the lab are reached, and nothing else about them."""
    fleet.declare()
    hosts: Hosts = json.loads(fleet.inventory.with_suffix(".json").read_text())
    return {name: {key: data[key] for key in REACH} for name, data in hosts.items()}


def write(directory: Path, hosts: Hosts) -> Path:
    """Write an inventory of the given hosts."""
    path = directory / "hosts.py"
    path.write_text(f"fleet = {list(hosts.items())!r}\n")
    return path


def run_cases(directory: Path, hosts: Hosts) -> RunResult:
    """Run the failing deploy past validation, which rightly refuses two hosts of one address and unknown data."""
    return drive(write(directory, hosts), [DEPLOYS / "cases.py"], list(hosts), dry=False, on_event=ignore)


def ignore(event: Event) -> None:
    """Show nothing."""
