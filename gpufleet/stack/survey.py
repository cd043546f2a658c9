"""Ask hosts what they are, over SSH and all at once, without changing them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import testinfra

from gpufleet.facts.machine import HostMachine, Machine
from gpufleet.health.connection import Connections, new_directory
from gpufleet.health.outcomes import CheckError
from gpufleet.health.probe import Probe, Request, Section
from gpufleet.health.prober import ask
from gpufleet.inventory.hosts import InventoryHost

_COMMAND = Machine().command()
_SECTION = "machine"
#: Hosts asked at the same time; each costs an ssh process here.
_AT_ONCE = 32


def survey(hosts: Sequence[InventoryHost]) -> Mapping[str, HostMachine | str]:
    """Return what each host said of itself, or why it could not be asked, by name."""
    connections = Connections([host for host in hosts if host.connector == "ssh"], new_directory())
    try:
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="survey") as pool:
            answers = pool.map(lambda host: _asked(host, connections), hosts)
            return dict(zip((host.name for host in hosts), answers, strict=True))
    finally:
        connections.close()


def _asked(host: InventoryHost, connections: Connections) -> HostMachine | str:
    if host.connector != "ssh":
        return f"expected a host that is reached by SSH, found the connector {host.connector}"
    try:
        return heard(ask(testinfra.get_host(connections.specification(host)), host, {_SECTION: Request(_COMMAND)}))
    except CheckError as error:
        return str(error)


def heard(sections: Mapping[str, Section]) -> HostMachine:
    """Return what a host said of itself; raises CheckError for half an answer, which would be one without GPUs."""
    return Machine().process(Probe(sections)[_SECTION].lines)
