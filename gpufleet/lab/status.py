"""What a lab's hosts are like right now, told by the hosts themselves."""

from __future__ import annotations

from gpufleet.lab import faults, waiting
from gpufleet.lab.fabric import fabric as fabrics
from gpufleet.lab.hosts import LabHost
from gpufleet.lab.lab import Lab
from gpufleet.lab.state import State

Row = dict[str, str | list[str]]


def rows(lab: Lab) -> list[Row]:
    """One row per host: name, os, profile, address, state, kernel and faults; then a fabric's and a control plane's."""
    found = waiting.each(lab.hosts, row)
    if fabrics.copy_of(State(lab.name)).is_file():
        found.append(lab.fabric.simulator.row(lab.fabric.faults()))
    if State(lab.name).kubernetes.is_file():
        found.append(lab.control_plane.server.row(lab.control_plane.version))
    return found


def row(host: LabHost) -> Row:
    """The row of one host; a host that is down has no kernel."""
    up = faults.running(host)
    return {
        "name": host.name,
        "os": host.os,
        "profile": host.profile,
        "address": host.address,
        "state": "running" if up else "down",
        "kernel": host.execute("uname -r", check=False).stdout.strip() if up else "",
        "faults": faults.active(host),
    }
