"""The lab's own Docker network: static addresses that survive a reboot, and a gateway for the package archive."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from gpufleet.errors import LabError
from gpufleet.lab.docker import docker

#: Networks are taken from here, 254 of them; Docker's own defaults lie elsewhere.
POOL = ipaddress.IPv4Network("10.213.0.0/16")
#: What Docker says when another network already has the subnet.
OVERLAP = "overlaps"
#: First host address of a network; those below are left to gateway and friends.
FIRST = 11


@dataclass(frozen=True)
class Network:
    """A Docker network with its subnet."""

    name: str
    subnet: ipaddress.IPv4Network

    @property
    def gateway(self) -> str:
        """Address of the controller in this network."""
        return str(self.subnet[1])

    def free(self, taken: Iterable[str]) -> Iterator[str]:
        """Addresses for new hosts, lowest first."""
        used = set(taken)
        return (str(self.subnet[n]) for n in range(FIRST, 255) if str(self.subnet[n]) not in used)


def name(lab: str) -> str:
    """Name of a lab's network."""
    return f"gpufleet-{lab}"


def find(lab: str) -> Network | None:
    """The lab's network, if there is one."""
    result = docker("network", "inspect", name(lab), "--format", "{{(index .IPAM.Config 0).Subnet}}", check=False)
    return Network(name(lab), ipaddress.IPv4Network(result.stdout.strip())) if result.returncode == 0 else None


def ensure(lab: str) -> Network:
    """The lab's network, made in the first free subnet where there is none."""
    if found := find(lab):
        return found
    for subnet in candidates(Path("/proc/net/route").read_text(), Path("/proc/net/tcp").read_text()):
        made = docker(
            *("network", "create", f"--subnet={subnet}", f"--gateway={subnet[1]}"),
            *(f"--label=gpufleet.lab={lab}", name(lab)),
            check=False,
        )
        if made.returncode == 0:
            return Network(name(lab), subnet)
        if OVERLAP not in made.stderr:
            break
    raise LabError(
        f"network {name(lab)}",
        expected=f"a free subnet in {POOL}",
        found=made.stderr.strip() or "none",
        cure="remove networks that are no longer used (`docker network ls`) and run the command again",
    )


def remove(lab: str) -> None:
    """Remove the lab's network; one that is absent is fine."""
    if find(lab):
        docker("network", "rm", name(lab))


def candidates(routes: str, sockets: str) -> Iterator[ipaddress.IPv4Network]:
    """Subnets of the pool that no route of this machine leads into and no socket is left over in.

    Takes the texts of /proc/net/route and /proc/net/tcp. A process that outlived its network still has its address.
    """
    taken = [network for network in map(destination, routes.splitlines()[1:]) if network.prefixlen > 0]
    taken += [ipaddress.IPv4Network(number(line.split()[1][:8])) for line in sockets.splitlines()[1:]]
    return (subnet for subnet in POOL.subnets(new_prefix=24) if not any(map(subnet.overlaps, taken)))


def destination(line: str) -> ipaddress.IPv4Network:
    """Destination of one line of /proc/net/route."""
    fields = line.split()
    return ipaddress.IPv4Network((number(fields[1]), bin(number(fields[7])).count("1")))


def number(text: str) -> int:
    """An address as /proc/net writes it: hexadecimal, in the byte order of the machine, which is little-endian."""
    return int.from_bytes(bytes.fromhex(text), "little")
