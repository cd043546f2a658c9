"""Names of a host: its own, and the entries of /etc/hosts."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from io import StringIO
from typing import Any

from pyinfra.api.command import QuoteString, StringCommand
from pyinfra.api.operation import operation
from pyinfra.context import host
from pyinfra.operations import files

from gpufleet.facts.naming import Naming

Commands = Generator[Any, None, None]

BEGIN, END = "# gpufleet: begin", "# gpufleet: end"
LOCALHOST = {"127.0.0.1": "127.0.0.1\tlocalhost", "::1": "::1\tlocalhost ip6-localhost ip6-loopback"}


@operation()
def hostname(hostname: str) -> Commands:
    """
    Give the host its name, now and at boot.

    /etc/hostname is written in place, as it may be a mount point, and works without systemd-hostnamed.

    + hostname: the name

    **Example:**

    .. code:: python

        naming.hostname(hostname="gpu-01", name="Set the host name")
    """
    names = host.get_fact(Naming)
    # Want this name and have it?
    if names.live == names.at_boot == hostname:
        host.noop(f"host name is {hostname}")
    if names.at_boot != hostname:
        yield StringCommand("echo", QuoteString(hostname), ">", "/etc/hostname")
    if names.live != hostname:
        yield StringCommand("hostname", QuoteString(hostname))


@operation()
def hosts(entries: Sequence[str]) -> Commands:
    """
    Keep entries in a block at the top of /etc/hosts, where they win; other lines stay, localhost is put back if lost.

    + entries: lines as hosts(5) has them

    **Example:**

    .. code:: python

        naming.hosts(entries=["10.0.0.1\\thead-01"], name="Write own entries into /etc/hosts")
    """
    current = host.get_fact(Naming).hosts
    wanted = with_block(current, entries)
    # Want these lines and have them?
    if wanted == list(current):
        host.noop("/etc/hosts has the declared entries")
        return
    text = "".join(f"{line}\n" for line in wanted)
    yield from files.put._inner(src=StringIO(text), dest="/etc/hosts", mode="644", user="root", group="root")


def with_block(lines: Sequence[str], entries: Sequence[str]) -> list[str]:
    """Return lines with our block replaced by these entries and the localhost lines that are missing added."""
    foreign = _without_block(lines)
    missing = [line for address, line in LOCALHOST.items() if not names_localhost(foreign, address)]
    return [BEGIN, *entries, END, *missing, *foreign]


def _without_block(lines: Sequence[str]) -> list[str]:
    """Return the lines of others; a block that somebody cut in half ends nowhere, so only its marker is taken out."""
    kept = list(lines)
    if BEGIN in kept and END in kept[kept.index(BEGIN) :]:
        start = kept.index(BEGIN)
        del kept[start : kept.index(END, start) + 1]
    return [line for line in kept if line not in (BEGIN, END)]


def names_localhost(lines: Sequence[str], address: str) -> bool:
    """Whether a line of hosts(5) gives localhost this address."""
    rows = [line.partition("#")[0].split() for line in lines]
    return any(row[:1] == [address] and "localhost" in row[1:] for row in rows)
