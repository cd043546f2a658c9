"""Time: certificates, logs and collective operations all need hosts that agree on it."""

from __future__ import annotations

from collections.abc import Container

from pyinfra.operations import systemd
from pyinfra.operations.util import any_changed

from gpufleet.operations import apt, files, lines, units
from roles.base.options import Base

CONFIG = "/etc/chrony/chrony.conf"
#: Lines of the distribution's configuration that name time servers; mixed with declared ones they could outvote them.
SOURCES = r"^\(pool\|server\|peer\)[[:space:]]"


def synchronize(options: Base, installed: Container[str]) -> None:
    """Run chrony with the declared servers; the sources are written first, so that its first start knows them."""
    servers = options.time.servers
    sources = files.rendered(
        path="etc/chrony/sources.d/gpufleet.sources", servers=servers, name="Write the time sources"
    )
    # Installed is enough: asked again, apt would prefer the newest version.
    if "chrony" not in installed:
        apt.exact(packages=["chrony"], name="Install chrony")
    verb = "Leave" if servers else "Keep"
    pools = lines.off(
        path=CONFIG, pattern=SOURCES, present=bool(servers), name=f"{verb} the distribution's time servers"
    )
    units.running(units=["chrony.service"], name="Run chrony, now and at every boot")
    systemd.service(
        service="chrony.service",
        restarted=True,
        _if=any_changed(sources, pools),
        name="Restart chrony with its new sources",
    )
