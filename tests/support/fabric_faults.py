"""Faults of cabling to inject into a generated fabric, each with the finding that must name it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

from gpufleet.fabric.ports import Cable, Port, between
from tests.support.fabrics import Fabric

#: Kind of the finding, and the texts that it must name.
Expected = tuple[str, set[str]]


def _device_cables(fabric: Fabric) -> list[int]:
    return [n for n, cable in enumerate(fabric.cables) if cable.b.node in fabric.devices]


def unplugged(fabric: Fabric, random: Random) -> Expected:
    cable = fabric.cables.pop(random.randrange(len(fabric.cables)))
    return "missing", {str(cable.a), str(cable.b)}


def swapped(fabric: Fabric, random: Random) -> Expected:
    """Exchange the far ends of two cables of devices, or of two cables between leaves and spines."""
    of_devices = _device_cables(fabric)
    among = random.choice([of_devices, [n for n in range(len(fabric.cables)) if n not in set(of_devices)]])
    first, second = random.sample(among, 2)
    one, two = fabric.cables[first], fabric.cables[second]
    fabric.cables[first], fabric.cables[second] = one._replace(b=two.b), two._replace(b=one.b)
    return "swapped", {str(one), str(two), between(one.a, two.b), between(two.a, one.b)}


def on_a_free_port(fabric: Fabric, random: Random) -> Expected:
    """Move the leaf's end of a device's cable to a free port of any leaf."""
    n = random.choice(_device_cables(fabric))
    cable, leaf = fabric.cables[n], random.choice(list(fabric.leaf_rails))
    fabric.cables[n] = cable._replace(a=Port(leaf, fabric.switches[leaf]))
    same = fabric.leaf_rails[leaf] == fabric.devices[cable.b.node]
    return ("moved" if same else "wrong rail"), {str(cable), str(fabric.cables[n])}


def unplanned(fabric: Fabric, random: Random) -> Expected:
    """Cable a device that no plan knows to a free port."""
    leaf = random.choice(list(fabric.leaf_rails))
    fabric.devices["stranger mlx5_0"], fabric.guids["stranger mlx5_0"] = fabric.leaf_rails[leaf], 0xABC
    cable = Cable(Port(leaf, fabric.switches[leaf]), Port("stranger mlx5_0", 1), "NDR", "4x")
    fabric.cables.append(cable)
    return "extra", {str(cable.a), str(cable.b)}


def slow(fabric: Fabric, random: Random) -> Expected:
    n = random.randrange(len(fabric.cables))
    fabric.cables[n] = fabric.cables[n]._replace(speed=random.choice(["SDR", "EDR", "HDR"]))
    return "slow", {str(fabric.cables[n].a), str(fabric.cables[n].b)}


def narrow(fabric: Fabric, random: Random) -> Expected:
    n = random.randrange(len(fabric.cables))
    fabric.cables[n] = fabric.cables[n]._replace(width=random.choice(["1x", "2x"]))
    return "narrow", {str(fabric.cables[n].a), str(fabric.cables[n].b)}


def same_guid(fabric: Fabric, random: Random) -> Expected:
    """Give a device the GUID of another: discovery takes both for one, with the name that it met first."""
    one, two = random.sample(list(fabric.devices), 2)
    ends = {cable.b.node: cable.a for cable in fabric.cables if cable.b.node in {one, two}}
    n = next(n for n, cable in enumerate(fabric.cables) if cable.b.node == two)
    fabric.cables[n] = replace_end(fabric.cables[n], one)
    del fabric.devices[two]
    return "duplicate guid", {str(ends[one]), str(ends[two]), f"0x{fabric.guids[one]:016x}"}


def replace_end(cable: Cable, node: str) -> Cable:
    return cable._replace(b=Port(node, 1))


def dead_leaf(fabric: Fabric, random: Random) -> Expected:
    leaf = random.choice(list(fabric.leaf_rails))
    fabric.cables = [cable for cable in fabric.cables if leaf not in {cable.a.node, cable.b.node}]
    return "absent", {leaf}


def dead_host(fabric: Fabric, random: Random) -> Expected:
    host = random.choice(fabric.hosts())
    fabric.cables = [cable for cable in fabric.cables if not cable.b.node.startswith(f"{host} ")]
    return "absent", {host}


FAULTS: dict[str, Callable[[Fabric, Random], Expected]] = {
    fault.__name__: fault
    for fault in (
        unplugged, swapped, on_a_free_port, unplanned, slow, narrow, same_guid, dead_leaf, dead_host,
    )
}  # fmt: skip


def copy(fabric: Fabric) -> Fabric:
    """A fabric that can be changed while the plan is kept."""
    return replace(
        fabric, switches=dict(fabric.switches), leaf_rails=dict(fabric.leaf_rails), devices=dict(fabric.devices),
        cables=list(fabric.cables), guids=dict(fabric.guids),
    )  # fmt: skip
