"""Two-tier rail-optimized fabrics of any size, as a plan and as the ibnetdiscover text of the same fabric."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from gpufleet.fabric.ports import Cable, Port

SPEED, WIDTH = "NDR", "4x"
_DEVICE_GUIDS, _SWITCH_GUIDS = 0xA088C20300000000, 0x900A840300000000


@dataclass
class Fabric:
    """What is cabled; `plan` tells it as fabric.yaml and `text` as ibnetdiscover does."""

    #: Ports of each switch, and the rail of each leaf.
    switches: dict[str, int] = field(default_factory=dict)
    leaf_rails: dict[str, int] = field(default_factory=dict)
    #: Rail of each device `gpu-01 mlx5_0`.
    devices: dict[str, int] = field(default_factory=dict)
    cables: list[Cable] = field(default_factory=list)
    guids: dict[str, int] = field(default_factory=dict)

    def hosts(self) -> list[str]:
        return list(dict.fromkeys(name.partition(" ")[0] for name in self.devices))

    def plan(self, *, guids: bool = False) -> Iterator[str]:
        """Lines of the plan."""
        yield from (f"speed: {SPEED}\n", f"width: {WIDTH}\n", "switches:\n")
        for name, ports in self.switches.items():
            role = f"leaf, rail: {self.leaf_rails[name]}" if name in self.leaf_rails else "spine"
            yield f"  {name}: {{role: {role}, ports: {ports}{self._guid(name, guids)}}}\n"
        yield "hosts:\n"
        hosts = defaultdict(list)
        for name, rail in self.devices.items():
            host, _, device = name.partition(" ")
            hosts[host].append(f"{device}: {{rail: {rail}{self._guid(name, guids)}}}")
        yield from (f"  {host}: {{{', '.join(devices)}}}\n" for host, devices in hosts.items())
        yield "links:\n"
        links = defaultdict(list)
        for cable in self.cables:
            end = cable.b.node if cable.b.node in self.devices else str(cable.b)
            links[cable.a.node].append(f"{cable.a.number}: {end}")
        yield from (f"  {node}: {{{', '.join(ends)}}}\n" for node, ends in links.items())

    def _guid(self, name: str, wanted: bool) -> str:
        return f", guid: 0x{self.guids[name]:016x}" if wanted else ""

    def text(self) -> Iterator[str]:
        """Lines of ibnetdiscover."""
        ends: dict[str, list[tuple[int, Port, str]]] = defaultdict(list)
        for cable in self.cables:
            what = f"{cable.width}{cable.speed}"
            ends[cable.a.node].append((cable.a.number, cable.b, what))
            ends[cable.b.node].append((cable.b.number, cable.a, what))
        yield "#\n# Topology file: generated on Mon Nov 23 11:15:55 2026\n#\n"
        yield f"# Initiated from node {0:016x} port {1:016x}\n"
        for name in self.switches:
            if ends[name]:
                yield from self._switch(name, sorted(ends[name]))
        for name in self.devices:
            if ends[name]:
                yield from self._device(name, sorted(ends[name]))

    def _switch(self, name: str, ends: list[tuple[int, Port, str]]) -> Iterator[str]:
        guid = self.guids[name]
        yield f"\nvendid=0x2c9\ndevid=0xd2f2\nsysimgguid=0x{guid:x}\nswitchguid=0x{guid:x}({guid:x})\n"
        head = f'Switch\t{self.switches[name]} "S-{guid:016x}"\t\t# "{name}" enhanced port 0 lid 2 lmc 0\n'
        yield head
        for number, other, what in ends:
            kind, extra = ("S", "") if other.node in self.switches else ("H", f"({self.guids[other.node]:x}) ")
            place = f'"{kind}-{self.guids[other.node]:016x}"[{other.number}]{extra}'
            yield f'[{number}]\t{place}\t\t# "{other.node}" lid 1 {what}\n'

    def _device(self, name: str, ends: list[tuple[int, Port, str]]) -> Iterator[str]:
        guid = self.guids[name]
        yield f"\nvendid=0x2c9\ndevid=0x1021\nsysimgguid=0x{guid:x}\ncaguid=0x{guid:x}\n"
        yield f'Ca\t1 "H-{guid:016x}"\t\t# "{name}"\n'
        for number, other, what in ends:
            place = f'"S-{self.guids[other.node]:016x}"[{other.number}]'
            yield f'[{number}]({guid:x}) \t{place}\t\t# lid 1 lmc 0 "{other.node}" lid 2 {what}\n'


def two_tier(hosts: int, rails: int, *, down: int = 32, up: int = 32, radix: int = 64) -> Fabric:
    """A fabric with a leaf for each rail and `down` hosts, each with `up` cables spread over the spines."""
    fabric = Fabric()
    digits = len(str(hosts))
    leaves = -(-hosts // down) * rails
    spines = [f"spine-{n:02}" for n in range(1, -(-leaves * up // radix) + 1)]
    used = dict.fromkeys(spines, 0)
    for n in range(hosts):
        for rail in range(1, rails + 1):
            leaf = f"leaf-{rail}-{n // down + 1:02}"
            if leaf not in fabric.switches:
                _add_leaf(fabric, leaf, rail, radix)
            name = f"gpu-{n + 1:0{digits}} mlx5_{rail - 1}"
            fabric.devices[name] = rail
            fabric.guids[name] = _DEVICE_GUIDS + 16 * len(fabric.devices)
            fabric.cables.append(Cable(Port(leaf, n % down + 1), Port(name, 1), SPEED, WIDTH))
    for n, leaf in enumerate(list(fabric.leaf_rails)):
        for k in range(up):
            spine = spines[(n * up + k) % len(spines)]
            used[spine] += 1
            fabric.cables.append(Cable(Port(leaf, down + k + 1), Port(spine, used[spine]), SPEED, WIDTH))
    for n, spine in enumerate(spines):
        fabric.switches[spine] = radix
        fabric.guids[spine] = _SWITCH_GUIDS + 0x100000 + 16 * n
    return fabric


def _add_leaf(fabric: Fabric, leaf: str, rail: int, radix: int) -> None:
    fabric.switches[leaf], fabric.leaf_rails[leaf] = radix, rail
    fabric.guids[leaf] = _SWITCH_GUIDS + 16 * len(fabric.switches)
