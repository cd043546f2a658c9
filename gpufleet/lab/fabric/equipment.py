"""What a host gets for its adapters: the library, an environment for each device, and what stands before programs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from gpufleet.lab import bundle, state
from gpufleet.lab.bundle import Entry
from gpufleet.lab.fabric import adapters
from gpufleet.lab.fabric.adapters import Adapter
from gpufleet.lab.hosts import LabHost

HOST = Path(__file__).parent / "host"
TARGET, UNITS = "/usr/lib/gpufleet-lab-fabric", "/usr/lib/systemd/system"
SERVICE = "gpufleet-lab-fabric.service"
#: Programs of infiniband-diags and opensm that talk to a fabric; ibstatus reads /sys alone.
PROGRAMS = (
    *("dump_fts", "ibaddr", "ibccconfig", "ibccquery", "ibhosts", "iblinkinfo", "ibnetdiscover", "ibnodes", "ibping"),
    *("ibportstate", "ibqueryerrors", "ibroute", "ibrouters", "ibstat", "ibswitches", "ibsysstat", "ibtracert"),
    *("osmtest", "perfquery", "saquery", "sminfo", "smpdump", "smpquery", "vendstat"),
)
#: Files that belong elsewhere than the rest.
PLACES = {
    SERVICE: f"{UNITS}/{SERVICE}",
    "opensm.conf": f"{UNITS}/gpufleet-opensm@.service.d/gpufleet-lab.conf",
}
SET_UP = f"""
for program in {" ".join(PROGRAMS)}; do ln -sf {TARGET}/launcher /usr/local/sbin/$program; done
mkdir -p {UNITS}/multi-user.target.wants
ln -sf ../{SERVICE} {UNITS}/multi-user.target.wants/{SERVICE}
systemctl daemon-reload
systemctl restart {SERVICE}
"""


def equip(host: LabHost, own: list[Adapter], server: str, port: int, library: bytes) -> None:
    """Give a running host its adapters; one that has the same already is left alone."""
    entries = [*shared(), *devices(own, server, port, library)]
    told = json.dumps(adapters.told(own, server, port), indent=2) + "\n"
    mark = bundle.digest([*entries, Entry("fabric.json", told.encode())])
    if host.execute(f"cat {TARGET}/digest", check=False).stdout == mark:
        return
    state.write(host.state.host(host.name) / "fabric.json", told)
    bundle.copy(entries, host.container)
    host.execute(f"{SET_UP}printf %s {mark} >{TARGET}/digest")


def shared() -> Iterable[Entry]:
    """Yield the files that are the same on all hosts."""
    for entry in bundle.tree(HOST, TARGET):
        name = entry.path.removeprefix(f"{TARGET}/")
        yield Entry(PLACES.get(name, entry.path), entry.data, entry.mode)


def devices(own: Iterable[Adapter], server: str, port: int, library: bytes) -> Iterable[Entry]:
    """Yield a library and an environment for each device of the plan."""
    for adapter in own:
        if adapter.node:
            yield Entry(f"{TARGET}/{adapter.name}.so", adapters.library(library, adapter.name))
            text = environment(adapter, server, port)
            yield Entry(f"{TARGET}/devices/{adapter.name}-1", text.encode())


def environment(adapter: Adapter, server: str, port: int) -> str:
    """Return what systemd and the launcher put into the environment of a program on this device."""
    return (
        f"LD_PRELOAD={TARGET}/{adapter.name}.so\n"
        f'SIM_HOST="{adapter.node}"\n'
        f"IBSIM_SERVER_NAME={server}\n"
        f"IBSIM_SERVER_PORT={port}\n"
    )
