"""Which hosts of an inventory are nodes behind the gate, and under which names."""

from __future__ import annotations

from gpufleet.inventory.hosts import InventoryHost

#: Hosts whose data have this key are nodes.
KEY = "kubelet"


def is_gated(host: InventoryHost) -> bool:
    """Tell whether a host is a node behind the preflight gate: one to stay, whose data do not turn the gate off."""
    options = host.data.get(KEY)
    return options is not None and options.get("state") != "absent" and options.get("preflight", True)


def node_of(host: InventoryHost) -> str:
    """Return the name under which a host's kubelet registers: as declared, else the host's name in the inventory."""
    name: str = host.data[KEY].get("node_name") or host.name
    return name
