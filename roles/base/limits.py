"""Limits on locked memory and open files. PAM sets them for logins, systemd for services; neither reaches the other."""

from __future__ import annotations

from gpufleet.operations import files, units
from roles.base.options import Base, Limits


def of_logins(options: Base) -> None:
    """Write the limits that PAM gives to logins."""
    path = "etc/security/limits.d/60-gpufleet.conf"
    files.rendered(path=path, limits=options.limits, name="Write the limits of logins")


def of_services(options: Base) -> None:
    """Write the limits that systemd gives to services started from now on, and make it read them."""
    properties = manager_properties(options.limits)
    path = "etc/systemd/system.conf.d/60-gpufleet.conf"
    files.rendered(path=path, properties=properties, name="Write the limits of services")
    units.manager_reads(properties=properties, name="Make systemd work by the limits of services")


def manager_properties(limits: Limits) -> dict[str, str]:
    """Return the limits as systemd writes them, in bytes."""
    memlock = "infinity" if limits.memlock == "unlimited" else str(limits.memlock * 1024)
    return {"DefaultLimitMEMLOCK": memlock, "DefaultLimitNOFILE": str(limits.nofile)}
