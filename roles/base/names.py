"""What the host is called, and what it calls others."""

from __future__ import annotations

from gpufleet.operations import naming
from roles.base.options import Base, Names


def name_host(options: Base, inventory_name: str) -> None:
    """Set the host name and write the host's own entries into /etc/hosts."""
    hostname = options.names.hostname or inventory_name
    naming.hostname(hostname=hostname, name="Set the host name")
    naming.hosts(entries=entries(options.names, hostname), name="Write own entries into /etc/hosts")


def entries(names: Names, hostname: str) -> list[str]:
    """Return the lines of /etc/hosts: the host itself, its full name first, then the declared ones by address."""
    short = hostname.partition(".")[0]
    own = hostname if hostname == short else f"{hostname} {short}"
    others = sorted((str(address), " ".join(others)) for address, others in names.hosts.items())
    return [f"{names.address}\t{own}", *(f"{address}\t{text}" for address, text in others)]
