"""What NCCL is told on one host: the platform's profile, the operator's settings above it, each with its origin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gpufleet.stack.machine import Platform
from gpufleet.stack.nccl_settings import profiles, topology
from gpufleet.stack.nccl_settings.variables import Value

#: What pods see too, so one path is right on the host and in a container.
FOLDER = "/etc/gpufleet/nccl"
TOPOLOGY_FILE = f"{FOLDER}/topo.xml"
#: What every process on the host reads.
HOST_FILE = "/etc/nccl.conf"
#: The same text where NCCL_CONF_FILE leads a container.
POD_FILE = f"{FOLDER}/nccl.conf"


@dataclass(frozen=True)
class Configuration:
    """Settings by name, in the order of the file, and the topology that goes with them."""

    profile: Platform
    source: str
    settings: Mapping[str, str] = field(default_factory=dict)
    #: Text of the topology file; empty where NCCL finds the topology itself.
    topology: str = ""
    #: Where the platform's network plugin may lie; one of these must be there.
    library: tuple[str, ...] = ()


def configuration(platform: Platform, own: Mapping[str, Value], topology_text: str = "") -> Configuration:
    """Put profile and own settings together; the operator's settings beat the profile's, and so does a topology.

    A topology file of the operator's own path (`NCCL_TOPO_FILE` in the settings) leaves the profile's out.
    """
    profile = profiles.table()[platform]
    settings: dict[str, Value] = {**profile.settings, **profile.plugin}
    text = topology_text or (topology.table()[profile.topology].xml() if profile.topology else "")
    if "NCCL_TOPO_FILE" in own:
        text = ""
    elif text:
        settings["NCCL_TOPO_FILE"] = TOPOLOGY_FILE
    merged = {**settings, **own}
    return Configuration(
        profile=platform,
        source=profile.source,
        settings={name: str(merged[name]) for name in sorted(merged)},
        topology=text,
        library=profile.library,
    )
