"""Rules of RoCE's quality of service: classes, differences, and the index that all ports share."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpufleet.network.roce import PortQos, RocePort, choose, common_index, differences, hidden, traffic_class
from gpufleet.operations.rdma_ethernet import escaped
from roles.roce.options import Roce

WANTED = Roce.model_validate({}).qos()
GOOD = PortQos((3,), ((26, 3), (48, 6)), {"np": (3,), "rp": (3,)}, 48, 6, 106, 106, 9000)
BAD: dict[str, Any] = {
    "pfc": (),
    "priorities": (),
    "ecn": {"np": (), "rp": (3,)},
    "cnp_dscp": 0,
    "cnp_priority": 0,
    "traffic_class": 0,
    "tos": 0,
    "mtu": 1500,
}


def test_a_port_as_wanted() -> None:
    assert (differences(WANTED, GOOD), hidden(WANTED, GOOD)) == ({}, [])


@pytest.mark.parametrize("name", BAD)
def test_each_value_counts(name: str) -> None:
    assert len(differences(WANTED, replace(GOOD, **{name: BAD[name]}))) == 1


def test_what_a_driver_hides_is_no_difference_unless_everything_rests_on_it() -> None:
    assert list(differences(WANTED, PortQos())) == ["PFC", "DSCP"]
    assert len(hidden(WANTED, PortQos())) == 7


def test_other_entries_of_the_table_do_not_matter_by_dscp_and_do_by_tag() -> None:
    every = tuple((dscp, dscp >> 3) for dscp in range(64))
    assert differences(WANTED, replace(GOOD, priorities=every)) == {}
    assert list(differences(replace(WANTED, by_dscp=False), replace(GOOD, priorities=every))) == ["DSCP"]


@given(st.integers(0, 63), st.booleans())
def test_a_class_holds_its_dscp(dscp: int, ecn: bool) -> None:
    byte = traffic_class(dscp, ecn=ecn)
    assert (byte >> 2, byte & 3) == (dscp, 2 if ecn else 0)


@given(st.lists(st.sets(st.integers(0, 8)), max_size=4))
def test_common_index(sets: list[set[int]]) -> None:
    ports = [RocePort(f"mlx5_{number}", 1, "x", tuple(sorted(gids))) for number, gids in enumerate(sets)]
    index = common_index(ports)
    together = [number for number in range(9) if sets and all(number in gids for gids in sets)]
    assert index == (together[0] if together else None)


def test_ports_by_either_name() -> None:
    one, two, bare = RocePort("mlx5_0", 1, "ens1"), RocePort("mlx5_1", 1, "ens2"), RocePort("mlx5_2", 1)
    assert choose([one, two, bare], None) == ([one, two], [])
    assert choose([one, two, bare], ["mlx5_0", "ens2"]) == ([one, two], [])
    assert choose([one, two, bare], ["ens1", "mlx5_2"]) == ([one], ["mlx5_2"])


@pytest.mark.parametrize(("name", "text"), [("ens1f0np0", "ens1f0np0"), ("a-b", "a\\x2db"), ("eth0.5", "eth0.5")])
def test_names_of_units(name: str, text: str) -> None:
    assert escaped(name) == text
