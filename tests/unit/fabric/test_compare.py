"""Findings word for word; that each fault is found alone is proved by the properties."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpufleet.fabric import compare
from gpufleet.fabric.answers import Answers
from gpufleet.fabric.counters import Excess
from gpufleet.fabric.discovered import parse
from gpufleet.fabric.plan import Plan, load
from gpufleet.fabric.ports import Cable, Port
from tests.support.fabric_faults import copy
from tests.support.fabrics import Fabric, two_tier


@pytest.fixture
def fabric() -> Fabric:
    return two_tier(4, 2, down=4, up=2, radix=8)


def planned(folder: Path, fabric: Fabric, *, guids: bool = False) -> Plan:
    path = folder / "fabric.yaml"
    path.write_text("".join(fabric.plan(guids=guids)))
    return load(path)


def told(wanted: Plan, text: str, answers: Answers | None = None) -> list[str]:
    found = parse(text.splitlines(), "net.txt")
    return [str(finding) for finding in compare.check(wanted, found, answers or Answers()).findings]


def text(fabric: Fabric) -> str:
    return "".join(fabric.text())


def recabled(fabric: Fabric, **ends: Port | None) -> str:
    """The text of a fabric whose cables, by their number in `c0`, `c1`, ..., lead elsewhere or nowhere."""
    built = copy(fabric)
    for name, end in ends.items():
        if end is not None:
            built.cables[int(name[1:])] = fabric.cables[int(name[1:])]._replace(b=end)
    gone = {int(name[1:]) for name, end in ends.items() if end is None}
    built.cables = [cable for n, cable in enumerate(built.cables) if n not in gone]
    return text(built)


def test_swapped_across_rails(tmp_path: Path, fabric: Fabric) -> None:
    one, two = fabric.cables[0], fabric.cables[3]
    assert told(planned(tmp_path, fabric), recabled(fabric, c0=two.b, c3=one.b)) == [
        "swapped: leaf-1-01/1 - gpu-1 mlx5_0/1 and leaf-2-01/2 - gpu-2 mlx5_1/1: expected these two cables, "
        "found leaf-1-01/1 - gpu-2 mlx5_1/1 (gpu-2 mlx5_1 is of rail 2, leaf-1-01 of rail 1) and "
        "leaf-2-01/2 - gpu-1 mlx5_0/1 (gpu-1 mlx5_0 is of rail 1, leaf-2-01 of rail 2); "
        "exchange the two plugs at one side"
    ]


def test_three_cables_in_a_ring_are_three_moved_ones(tmp_path: Path, fabric: Fabric) -> None:
    ends = [fabric.cables[n].b for n in (0, 2, 4)]
    found = told(planned(tmp_path, fabric), recabled(fabric, c0=ends[1], c2=ends[2], c4=ends[0]))
    assert [line.partition(":")[0] for line in found] == ["moved"] * 3


def test_moved_to_a_leaf_of_another_rail(tmp_path: Path, fabric: Fabric) -> None:
    built = copy(fabric)
    built.cables[0] = fabric.cables[0]._replace(a=Port("leaf-2-01", 8))
    assert told(planned(tmp_path, fabric), text(built)) == [
        "wrong rail: leaf-1-01/1 - gpu-1 mlx5_0/1: expected this cable, found leaf-2-01/8 - gpu-1 mlx5_0/1 "
        "(gpu-1 mlx5_0 is of rail 1, leaf-2-01 of rail 2); move the plug from leaf-2-01/8 to leaf-1-01/1"
    ]


def test_missing_absent_and_extra(tmp_path: Path, fabric: Fabric) -> None:
    built = copy(fabric)
    built.devices["gpu-9 mlx5_0"], built.guids["gpu-9 mlx5_0"] = 1, 0xABC
    cables = [c for n, c in enumerate(fabric.cables) if n != 0 and not c.b.node.startswith("gpu-4 ")]
    built.cables = [*cables, Cable(Port("leaf-1-01", 8), Port("gpu-9 mlx5_0", 1), "NDR", "4x")]
    assert told(planned(tmp_path, fabric), text(built)) == [
        "absent: gpu-4: expected a node with 2 cables, found none of them; "
        "check that it is powered and its management answers",
        "missing: leaf-1-01/1 - gpu-1 mlx5_0/1: expected this cable, found nothing at leaf-1-01/1; "
        "nothing at gpu-1 mlx5_0/1; plug it in, or replace it",
        "extra: leaf-1-01/8 - gpu-9 mlx5_0/1: expected no cable, "
        "found one to gpu-9 mlx5_0, which the plan does not know; unplug it, or add it to the plan",
    ]


def test_a_leaf_that_is_off(tmp_path: Path, fabric: Fabric) -> None:
    off = {f"c{n}": None for n, cable in enumerate(fabric.cables) if cable.a.node == "leaf-2-01"}
    assert told(planned(tmp_path, fabric), recabled(fabric, **off)) == [
        "absent: leaf-2-01: expected a node with 6 cables, found none of them (hosts cut off there: gpu-[1-4]); "
        "check that it is powered and its management answers"
    ]


def test_a_switch_that_no_plan_knows(tmp_path: Path, fabric: Fabric) -> None:
    built = copy(fabric)
    built.switches["spine-99"], built.guids["spine-99"] = 8, 0xABC
    built.cables += [
        Cable(Port(leaf, 8), Port("spine-99", n), "NDR", "4x") for n, leaf in enumerate(fabric.leaf_rails, 1)
    ]
    assert told(planned(tmp_path, fabric), text(built)) == [
        "unknown node: spine-99: expected no such node, found 2 cables "
        "(leaf-1-01/8 - spine-99/1, leaf-2-01/8 - spine-99/2); add it to the plan"
    ]


def test_slow_and_narrow_and_faster_than_planned(tmp_path: Path, fabric: Fabric) -> None:
    built = copy(fabric)
    built.cables[0] = fabric.cables[0]._replace(speed="HDR", width="2x")
    built.cables[1] = fabric.cables[1]._replace(width="1x")
    built.cables[2] = fabric.cables[2]._replace(speed="XDR")
    cure = "reseat or replace the cable, then read both ports' settings"
    assert told(planned(tmp_path, fabric), text(built)) == [
        f"slow: leaf-1-01/1 - gpu-1 mlx5_0/1: expected 4x NDR, found 2x HDR; {cure}",
        f"narrow: leaf-2-01/1 - gpu-1 mlx5_1/1: expected 4x NDR, found 1x NDR; {cure}",
    ]


def test_speeds_that_ibnetdiscover_cannot_name_are_a_note(tmp_path: Path, fabric: Fabric) -> None:
    found = parse(text(fabric).replace("4xNDR", "4x???").splitlines(), "net.txt")
    report = compare.check(planned(tmp_path, fabric), found, Answers())
    assert (report.findings, report.notes) == (
        (),
        ("12 links of a speed or width that ibnetdiscover could not name: not compared; use a newer infiniband-diags",),
    )


def test_two_nodes_of_one_name(tmp_path: Path, fabric: Fabric) -> None:
    built = text(fabric).replace('"gpu-2 mlx5_0"', '"gpu-1 mlx5_0"')
    assert told(planned(tmp_path, fabric), built)[0] == (
        "duplicate name: gpu-1 mlx5_0: expected one node of this name, found another with GUID 0xa088c20300000030; "
        "give each its own name: rdma-ndd names a host's devices, the switch's own command a switch"
    )


def test_an_adapter_that_was_exchanged(tmp_path: Path, fabric: Fabric) -> None:
    built = text(fabric).replace(f"{fabric.guids['gpu-2 mlx5_0']:x}", "a088c203000000ff")
    assert told(planned(tmp_path, fabric), built) == []
    assert told(planned(tmp_path, fabric, guids=True), built) == [
        "other guid: gpu-2 mlx5_0: expected 0xa088c20300000030, found 0xa088c203000000ff; "
        "it was exchanged: write the new GUID into the plan; else correct its name"
    ]


def test_names_do_not_matter_where_the_plan_has_guids(tmp_path: Path, fabric: Fabric) -> None:
    built = text(fabric).replace('"leaf-1-01"', '"Quantum Mellanox Technologies"')
    assert told(planned(tmp_path, fabric, guids=True), built) == []


def test_one_guid_twice(tmp_path: Path, fabric: Fabric) -> None:
    built = copy(fabric)
    built.cables[2] = fabric.cables[2]._replace(b=fabric.cables[0].b)
    del built.devices["gpu-2 mlx5_0"]
    assert told(planned(tmp_path, fabric), text(built)) == [
        "duplicate guid: gpu-1 mlx5_0 at leaf-1-01/1, gpu-1 mlx5_0 at leaf-1-01/2: expected a GUID of its own, "
        "found 0xa088c20300000010; one of them was flashed with the other's GUID: set its own with its vendor's tool"
    ]


def test_hosts_without_a_path_to_the_rest_of_their_rail(tmp_path: Path) -> None:
    fabric = two_tier(4, 2, down=2, up=2, radix=8)
    lost = {
        f"c{n}": None
        for n, cable in enumerate(fabric.cables)
        if cable.a in {Port("leaf-1-02", 3), Port("leaf-1-02", 4)}
    }
    found = told(planned(tmp_path, fabric), recabled(fabric, **lost))
    assert [line.partition(":")[0] for line in found] == ["missing", "missing", "no path"]
    assert found[-1] in {
        f"no path: gpu-[{hosts}]: expected a path to the other devices of rail 1 (2), found a path to 1 of them only; "
        "follow the cables from its leaf to the spines"
        for hosts in ("1-2", "3-4")
    }


def test_errors_name_both_ends_and_what_they_mean(tmp_path: Path, fabric: Fabric) -> None:
    leaf = f"0x{fabric.guids['leaf-1-01']:016x}"
    excesses = (Excess(f"{leaf}/1", "SymbolErrorCounter", 11, 1.0, 10), Excess("0x01/2", "PortRcvErrors", 90, 3.0, 10))
    assert told(planned(tmp_path, fabric), text(fabric), Answers(excesses=excesses)) == [
        "errors: leaf-1-01/1 - gpu-1 mlx5_0/1: expected at most 10 SymbolErrorCounter an hour, "
        "found 11 in the last hour at leaf-1-01/1 (symbols that were damaged on the way); clean or replace the cable",
        "errors: 0x01/2: expected at most 10 PortRcvErrors an hour, found 90 in 3.0 h at 0x01/2 "
        "(packets received with an error); clean or replace the cable",
    ]


def test_a_device_without_a_name_of_its_own(tmp_path: Path, fabric: Fabric) -> None:
    built = text(fabric).replace('"gpu-2 mlx5_0"', '"MT4129 ConnectX7   Mellanox Technologies"')
    report = compare.check(planned(tmp_path, fabric), parse(built.splitlines(), "net.txt"), Answers())
    assert [str(finding) for finding in report.findings] == [
        "unknown node: leaf-1-01/2 - gpu-2 mlx5_0/1: expected this cable, "
        "found leaf-1-01/2 - MT4129 ConnectX7   Mellanox Technologies/1; "
        "if that is gpu-2 mlx5_0, give it its name, or the plan its GUID; else exchange it"
    ]
    assert report.notes == (
        "1 device without the name of a host: rdma-ndd there gives it one, and a plan with GUIDs needs none",
    )
