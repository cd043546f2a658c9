"""Options of the role subnet_manager: what is refused, in its own words, and the lines that OpenSM reads."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gpufleet.errors import fault_lines
from gpufleet.inventory import option_faults
from gpufleet.inventory.hosts import InventoryHost
from roles.subnet_manager.options import SubnetManager
from roles.subnet_manager.partitions import RATE_CODES, Partition

PORT = {"device": "mlx5_0"}
KEY = "expected a partition key from 0x0001 to 0x7fff, found"
RATES = "choose one of 2.5, 5, 10, 14, 20, 25, 28, 30, 40, 50, 56, 60, 80, 100, 112, 120, 168, 200, 300, 400, 600"


def partition(**options: Any) -> dict[str, Any]:
    return {"ports": [PORT], "partitions": [{"name": "a", "key": 1, **options}]}


@pytest.mark.parametrize(
    ("data", "messages"),
    [
        ({}, ["expected a port to manage a subnet from, found none; list one, or leave the host out"]),
        ({"ports": [{}]}, ["expected device or guid, found neither; name the port once"]),
        ({"ports": [{**PORT, "guid": "0x1"}]}, ["expected device or guid, found both; name the port once"]),
        (
            {"ports": [{"guid": "gpu-01"}]},
            ["expected a GUID such as 0xa088c2030012ab34, found 'gpu-01'; `ibstat` and `ibnetdiscover` print it"],
        ),
        ({"ports": [PORT, PORT]}, ["expected every port once, found mlx5_0-1 again; take it out"]),
        ({"ports": [PORT], "priority": 16}, ["Input should be less than or equal to 15"]),
        (
            partition(key=0x8001),
            [f"{KEY} 0x8001; leave the highest bit out: it is the membership, which `members` gives"],
        ),
        (partition(key=0), [f"{KEY} 0x0000; choose another"]),
        (
            partition(key="0x8fff"),
            [f"{KEY} 0x8fff; leave the highest bit out: it is the membership, which `members` gives"],
        ),
        (partition(members={"ALL": "some"}), ["Input should be 'full' or 'limited'"]),
        (
            partition(members={"gpu-01": "full"}),
            ["expected a GUID such as 0xa088c2030012ab34, found 'gpu-01'; `ibstat` and `ibnetdiscover` print it"],
        ),
        (partition(ipoib=True, mtu=1500), ["Input should be 256, 512, 1024, 2048 or 4096"]),
        (partition(ipoib=True, rate=800), [f"expected a rate that InfiniBand has, found 800 Gb/s; {RATES}"]),
        (partition(sl=16), ["Input should be less than or equal to 15"]),
        (
            partition(mtu=4096, rate=200),
            ["expected mtu and rate with ipoib: true, found it false; they are of IPoIB's multicast group"],
        ),
        (
            {"ports": [PORT], "partitions": [{"name": "a", "key": 1}, {"name": "b", "key": "0x1"}]},
            ["expected every partition key once, found 0x0001 again; OpenSM would merge them"],
        ),
        (
            {"ports": [{**PORT, "root_guids": ["0x10"]}], "routing": ["minhop"]},
            ["expected root_guids with routing by updn, dnup, ftree, found minhop; add one of them"],
        ),
        (
            {"ports": [PORT], "routing": ["torus-2QoS"]},
            ["Input should be 'minhop', 'updn', 'dnup', 'ftree', 'lash', 'dor', 'nue', 'sssp' or 'dfsssp'"],
        ),
        (
            {"ports": [PORT], "qos": {"sl2vl": [0]}},
            ["List should have at least 16 items after validation, not 1"],
        ),
    ],
)
def test_refused(data: dict[str, Any], messages: list[str]) -> None:
    with pytest.raises(ValidationError) as refused:
        SubnetManager.model_validate(data)
    assert [error["msg"].removeprefix("Value error, ") for error in refused.value.errors()] == messages


@pytest.mark.parametrize(
    ("options", "definition", "members"),
    [
        ({"name": "Default", "key": 0x7FFF, "ipoib": True}, "Default=0x7fff, ipoib", "ALL=full"),
        (
            {"name": "tenant", "key": "0x12", "ipoib": True, "mtu": 4096, "rate": 400, "sl": 1},
            "tenant=0x0012, ipoib, mtu=5, rate=21, sl=1",
            "ALL=full",
        ),
        (
            {"name": "b", "key": 2, "members": {"SELF": "full", "a088:c203:0012:ab34": "limited"}},
            "b=0x0002",
            "SELF=full, 0xa088c2030012ab34=limited",
        ),
    ],
)
def test_lines(options: dict[str, Any], definition: str, members: str) -> None:
    found = Partition.model_validate(options)
    assert (found.definition, found.member_list) == (definition, members)


def test_the_default_partition_comes_first_and_once() -> None:
    own = {"name": "Default", "key": 0x7FFF, "members": {"ALL": "limited", "SELF": "full"}}
    names = {
        "added": SubnetManager.model_validate(partition()),
        "given": SubnetManager.model_validate({"ports": [PORT], "partitions": [{"name": "a", "key": 1}, own]}),
    }
    found = {name: [f"{row.name} {row.member_list}" for row in each.all_partitions] for name, each in names.items()}
    assert found == {
        "added": ["Default ALL=full", "a ALL=full"],
        "given": ["Default ALL=limited, SELF=full", "a ALL=full"],
    }


@given(st.integers(min_value=1, max_value=0x7FFF), st.sampled_from(sorted(RATE_CODES)))
def test_every_key_and_rate_in_range_has_a_line(key: int, rate: float) -> None:
    found = Partition(name="a", key=key, ipoib=True, rate=rate)
    assert found.definition == f"a=0x{key:04x}, ipoib, rate={RATE_CODES[rate]}"


@given(st.one_of(st.integers(max_value=0), st.integers(min_value=0x8000)))
def test_no_key_out_of_range_is_taken(key: int) -> None:
    with pytest.raises(ValidationError):
        Partition(name="a", key=key)


def test_faults_of_an_inventory_are_told_once_for_all_its_hosts() -> None:
    wrong = {**partition(key=0x8001), "prioritty": 3}
    hosts = [InventoryHost(name, "ssh", (), {"subnet_manager": wrong}) for name in ("sm-1", "sm-2")]
    faults = [fault for host in hosts for fault in option_faults.find(host, {"subnet_manager": SubnetManager})]
    assert fault_lines(faults) == [
        "sm-[1-2]: subnet_manager.partitions[0].key: expected a partition key from 0x0001 to 0x7fff, found 0x8001; "
        "leave the highest bit out: it is the membership, which `members` gives",
        "sm-[1-2]: subnet_manager.prioritty: unknown option; did you mean priority?",
    ]
