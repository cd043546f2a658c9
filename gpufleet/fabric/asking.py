"""Ask one host of the fabric for the cabling and what goes with it, over SSH, without changing anything."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import testinfra

from gpufleet.errors import HostError
from gpufleet.fabric import counters, discovered, managers, states
from gpufleet.fabric.answers import Answers
from gpufleet.fabric.counters import Reading
from gpufleet.fabric.discovered import Discovered
from gpufleet.health.connection import Connections, new_directory
from gpufleet.health.outcomes import CheckError
from gpufleet.health.probe import Probe, Request, Section
from gpufleet.health.prober import ask
from gpufleet.inventory.hosts import InventoryHost

#: Seconds for one program: a sweep of 80,000 ports takes minutes.
_SECONDS = 600


@dataclass(frozen=True)
class Heard:
    """What the host said; the reading is None where its counters could not be read."""

    found: Discovered
    answers: Answers
    reading: Reading | None


def heard_from(host: InventoryHost, devices: Sequence[str]) -> Heard:
    """Run the diagnostics on a host through the devices given, one for each separate part of the fabric.

    Raises HostError where the host or its fabric does not answer.
    """
    if host.connector != "ssh":
        cure = "name another one with --host, or a saved file with --from"
        raise HostError(
            host.name, expected="a host that is reached by SSH", found=f"the connector {host.connector}", cure=cure
        )
    connections = Connections([host], new_directory())
    try:
        target = testinfra.get_host(connections.specification(host))
        sections = ask(target, host, requests(devices))
    except CheckError as error:
        cure = "name another one with --host, or a saved file with --from"
        raise HostError(host.name, expected="an answer", found=str(error), cure=cure) from None
    finally:
        connections.close()
    return heard(host.name, devices, sections, time.time())


def requests(devices: Sequence[str]) -> dict[str, Request]:
    """Return what to run on the host, by device and purpose."""
    commands = {}
    for device in devices:
        commands[f"topology {device}"] = f"ibnetdiscover -C {device}"
        commands[f"states {device}"] = states.command(device)
        commands[f"errors {device}"] = f"{counters.COMMAND} -C {device}"
        commands[f"managers {device}"] = managers.command(device)
    return {name: Request(command, _SECONDS) for name, command in commands.items()}


def heard(name: str, devices: Sequence[str], sections: Mapping[str, Section], now: float) -> Heard:
    """Return what the sections say; raises HostError where the cabling is not in them."""
    probe = Probe(sections, _SECONDS)
    try:
        return _heard(name, devices, probe, now)
    except CheckError as error:
        cure = "run the command by hand on the host"
        raise HostError(name, expected="an answer of each program", found=str(error), cure=cure) from None


def _heard(name: str, devices: Sequence[str], probe: Probe, now: float) -> Heard:
    topology = [line for device in devices for line in _topology(name, device, probe[f"topology {device}"])]
    known, found_states, notes = {}, {}, []
    counts: dict[str, dict[str, int]] | None = {}
    for device in devices:
        asked = probe[f"managers {device}"]
        known[f"{name} {device}"] = managers.parse(asked.lines)
        if known[f"{name} {device}"] and not managers.listed(asked.text):
            notes.append(_unread(f"{name} {device}: other subnet managers", "saquery", asked))
        found_states.update(states.parse(probe[f"states {device}"].lines))
        if f"{states.ENDED}0" not in probe[f"states {device}"].text:
            notes.append(_unread(f"{name} {device}: states of ports", "iblinkinfo", probe[f"states {device}"]))
        errors = probe[f"errors {device}"]
        if not counters.ended(errors.text):
            notes.append(_unread(f"{name} {device}: counters", "ibqueryerrors", errors))
            counts = None
        elif counts is not None:
            counts |= counters.parse(errors.lines)
    found = discovered.parse(topology, name)
    reading = Reading(now, counts) if counts is not None else None
    return Heard(found, Answers(found_states, known, (), tuple(notes)), reading)


def _topology(name: str, device: str, section: Section) -> list[str]:
    if section.rc:
        found = f"exit status {section.rc}: {_last(section)}"
        cure = "install infiniband-diags there, and see that the device is up with `ibstat`"
        raise HostError(f"{name} {device}", expected="ibnetdiscover to list the fabric", found=found, cure=cure)
    return section.lines


def _unread(what: str, program: str, section: Section) -> str:
    return f"{what} not checked: {program} did not come to its end ({_last(section)})"


def _last(section: Section) -> str:
    text = section.errors or section.text
    return text.rpartition("\n")[2] or "it printed nothing"
