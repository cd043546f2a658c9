"""Memory that services may lock: systemd's setting read, and the limit of processes that run already raised."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from io import StringIO
from typing import Any

from pyinfra.api.command import QuoteString, StringCommand
from pyinfra.api.operation import operation
from pyinfra.context import host
from pyinfra.operations import files

from gpufleet.facts.memlock import UNLIMITED, ServiceMemlock
from gpufleet.facts.unit_files import MARK

Commands = Generator[Any, None, None]


@operation()
def declared(unit: str, limit: str) -> Commands:
    """
    Write the drop-in that gives a service its limit from its next start on.

    + unit: full unit name
    + limit: bytes, or `unlimited`

    **Example:**

    .. code:: python

        memlock.declared(unit="containerd.service", limit="unlimited", name="Declare containerd's limit")
    """
    value = "infinity" if limit == UNLIMITED else limit
    text = f"{MARK}: RDMA adapters reach locked memory alone.\n[Service]\nLimitMEMLOCK={value}\n"
    path = f"/etc/systemd/system/{unit}.d/60-gpufleet-memlock.conf"
    yield from files.put._inner(src=StringIO(text), dest=path, mode="644", user="root", group="root")


@operation()
def granted(units: Sequence[str], limit: str) -> Commands:
    """
    Give services their limit without a restart, which would end the jobs below them: what they start has it from now.

    + units: full unit names; one that does not exist yet has its limit from the first start
    + limit: bytes, or `unlimited`, as the units' drop-ins have it

    **Example:**

    .. code:: python

        memlock.granted(units=["containerd.service"], limit="unlimited", name="Let containerd lock memory")
    """
    found = host.get_fact(ServiceMemlock, units=units)
    unread = [unit for unit, row in found.items() if row.configured != limit]
    short = {unit: row.pid for unit, row in found.items() if row.running not in ("", limit)}
    # Want these limits and have them?
    if not (unread or short):
        host.noop(f"services may lock {limit}: {', '.join(found) or 'none is there yet'}")
    if unread:
        yield StringCommand("systemctl", "daemon-reload")
    for pid in short.values():
        yield StringCommand("prlimit", "--pid", str(pid), QuoteString(f"--memlock={limit}:{limit}"))
