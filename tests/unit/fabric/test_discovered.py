"""The text of ibnetdiscover: real ones, other forms that its source prints, and what is no such text."""

from __future__ import annotations

import pytest

from gpufleet.errors import GpufleetError
from gpufleet.fabric.discovered import Node, Place, Seen, parse
from tests.unit.fabric.small import case, found

NONE = "net.txt: expected the text of ibnetdiscover, found no node in it; save the output of `ibnetdiscover`"
CHASSIS = """
Chassis 1 (guid 0x8f10400411f56)

# Spine Nodes
vendid=0x8f1
devid=0x5a31
sysimgguid=0x8f10400411f59\t\t# Chassis 1
switchguid=0x8f10400411f56(8f10400411f56)\t# Line Slot 3 Chip 1
Switch\t24 "S-0008f10400411f56"\t\t# "ISR9024 "x" Voltaire" enhanced port 0 lid 1 lmc 0
[11][ext 5]\t"H-0008f10403961354"[1](8f10403961355) \t\t# "MT23108 InfiniHost" lid 4 12xFDR10 s=4 w=8 v=4
[12]\t"S-0008f10400411f57"[3][ext 4]\t\t# "other" lid 9 ??????

rtguid=0x8f10403961360
Rt\t1 "R-0008f10403961360"\t\t# "router"
"""


def test_a_fabric_of_the_simulator() -> None:
    fabric = found()
    assert fabric.starts == 1
    assert sorted(node.description for node in fabric.nodes.values()) == [
        "gpu-01 mlx5_0", "gpu-01 mlx5_1", "gpu-02 mlx5_0", "gpu-02 mlx5_1", "leaf-01", "leaf-02", "spine-01",
    ]  # fmt: skip
    assert fabric.nodes[0x200000] == Node(0x200000, "switch", "leaf-01", 8)
    assert len(fabric.ends) == 12
    assert fabric.ends[Place(0x200000, 2)] == Seen(Place(0x100004, 1), "SDR", "4x")
    assert fabric.ends[Place(0x100004, 1)] == Seen(Place(0x200000, 2), "SDR", "4x")
    assert fabric.port_guids[0x100005] == {Place(0x100004, 1)}
    assert fabric.port_guids[0x200000] == {Place(0x200000, 0)}


def test_chassis_quotes_routers_and_names_that_are_too_new() -> None:
    fabric = parse(CHASSIS.splitlines(), "net.txt")
    assert fabric.nodes[0x8F10400411F56].description == 'ISR9024 "x" Voltaire'
    assert fabric.nodes[0x8F10403961360].kind == "router"
    assert fabric.ends == {
        Place(0x8F10400411F56, 11): Seen(Place(0x8F10403961354, 1), "FDR10", "12x"),
        Place(0x8F10400411F56, 12): Seen(Place(0x8F10400411F57, 3), "???", "??"),
    }


def test_a_switchs_reduction_engine_is_no_cable() -> None:
    text = case("ibnetdiscover").replace('"gpu-02 mlx5_0"', '"Mellanox Technologies Aggregation Node"')
    fabric = found(text)
    assert 0x100004 not in fabric.nodes
    assert len(fabric.ends) == 10


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", NONE),
        ("CA 'mlx5_0'\n", NONE),
        ("[1]\t'S-00", "net.txt:1: expected a link of a node, found \"[1]\\t'S-00\"; "
         "save the output of `ibnetdiscover` once more"),
    ],
)  # fmt: skip
def test_no_such_text(text: str, message: str) -> None:
    with pytest.raises(GpufleetError) as caught:
        parse(text.splitlines(), "net.txt")
    assert str(caught.value) == message


def test_switches_whose_port_has_no_guid_share_none() -> None:
    lines = [line for line in case("ibnetdiscover").splitlines() if not line.startswith("switchguid=")]
    assert [guid for guid, places in parse(lines, "net.txt").port_guids.items() if len(places) > 1] == []
