"""Time: certificates, logs and collective operations all need hosts that agree on it."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence

from pyinfra.api.operation import OperationMeta
from pyinfra.operations import files as pyinfra_files
from pyinfra.operations import systemd
from pyinfra.operations.util import any_changed

from gpufleet.facts.family import EL
from gpufleet.operations import files, lines, packages, units
from roles.base.families import FAMILIES
from roles.base.options import Base, Server

#: Lines of the distribution's configuration that name time servers; mixed with declared ones they could outvote them.
SOURCES = r"^\(pool\|server\|peer\)[[:space:]]"
#: Debian's configuration reads this directory; EL's has to be told.
SOURCES_DIR = "etc/chrony/sources.d"


def synchronize(options: Base, installed: Container[str], family: str) -> None:
    """Run chrony with the declared servers; the sources are written first, so that its first start knows them."""
    servers, unit = options.time.servers, FAMILIES[family].chrony_unit
    written = files.rendered(path=f"{SOURCES_DIR}/gpufleet.sources", servers=servers, name="Write the time sources")
    # Installed is enough: asked again, apt would prefer the newest version.
    if "chrony" not in installed:
        packages.exact(packages=["chrony"], name="Install chrony")
    changes = [written, *configure(servers, family)]
    units.running(units=[unit], name="Run chrony, now and at every boot")
    systemd.service(service=unit, restarted=True, _if=any_changed(*changes), name="Restart chrony with its new sources")


def configure(servers: Sequence[Server], family: str) -> Iterator[OperationMeta]:
    """Have chrony read the directory of sources, and none of the distribution's servers beside declared ones."""
    path = FAMILIES[family].chrony_config
    if family == EL and servers:
        line = f"sourcedir /{SOURCES_DIR}"
        yield pyinfra_files.line(path=path, line=line, name="Make chrony read the directory of sources")
    verb = "Leave" if servers else "Keep"
    yield lines.off(path=path, pattern=SOURCES, present=bool(servers), name=f"{verb} the distribution's time servers")
