"""An example: bare metal in three racks. Every list is a group, and a host may be in several.

A group named X takes its data from group_data/X.py; the name of this file, `metal`, is a group of all its hosts.
Check it without connecting: `gpufleet validate inventories/metal.py`.
"""

Host = tuple[str, dict[str, str]]


def _rack(name: str, subnet: str, hosts: int) -> list[Host]:
    """Hosts of one rack: the address is all that differs."""
    return [(f"gpu-{name}-{number:02}", {"ssh_hostname": f"{subnet}.{10 + number}"}) for number in range(1, hosts + 1)]


def _names(*racks: list[Host]) -> list[str]:
    """Names of hosts, for groups that cut across the racks."""
    return [name for rack in racks for name, _ in rack]


# Racks: where a host stands. Data of a host itself, such as its address, is written once, here.
rack_a1 = _rack("a1", "10.20.1", 4)
rack_a2 = _rack("a2", "10.20.2", 4)
rack_b1 = _rack("b1", "10.20.3", 8)

# GPU types: what a host is. These come after the racks, so their data win over a rack's.
h100 = _names(rack_a1, rack_a2)
l40s = _names(rack_b1)
