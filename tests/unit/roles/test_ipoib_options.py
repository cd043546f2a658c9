"""Options of the role ipoib: what they mean, what is refused in which words, and addresses that two hosts claim."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from gpufleet import inventory
from gpufleet.errors import FaultsFoundError
from gpufleet.network.links import Link
from roles.ipoib.options import Ipoib

KEY = "expected a partition key from 0x8001 to 0xfffe, found {}; take one that the subnet manager has; the interface "
KEY += "itself is in the default partition 0xffff"


def one(**options: Any) -> dict[str, Any]:
    return {"interfaces": {"ib0": options}}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            one(mtu=4093),
            "expected an MTU of at most 4092 in mode datagram, found 4093; lower it, or set mode: connected",
        ),
        (
            one(mode="connected", mtu=65521),
            "expected an MTU of at most 65520 in mode connected, found 65521; lower it",
        ),
        (one(mtu=1279), "Input should be greater than or equal to 1280"),
        (one(mode="reliable"), "Input should be 'datagram' or 'connected'"),
        (one(partitions=[{"key": 0x8000}]), KEY.format("0x8000")),
        (one(partitions=[{"key": 0xFFFF}]), KEY.format("0xffff")),
        (one(partitions=[{"key": "0x7fff"}]), KEY.format("0x7fff")),
        (one(partitions=[{"key": "blue"}]), KEY.format("'blue'")),
        (one(partitions=[{"key": True}]), KEY.format("True")),
        (
            one(partitions=[{"key": 0x8001}, {"key": "8001"}]),
            "expected every partition key once, found 0x8001 again; take it out",
        ),
        (
            one(addresses=["10.30.0.7"]),
            "expected an IPv4 or IPv6 address with its prefix length, found 10.30.0.7; write it like 10.30.0.7/16",
        ),
        (
            one(addresses=["10.30.0.700/16"]),
            "expected an IPv4 or IPv6 address with its prefix length, found 10.30.0.700/16; write it like 10.30.0.7/16",
        ),
        (
            one(addresses=["10.30.0.0/16"]),
            "expected an address that a host can have, found the network address 10.30.0.0/16; "
            "give another of 10.30.0.0/16",
        ),
        (
            one(addresses=["10.30.255.255/16"]),
            "expected an address that a host can have, found the broadcast address 10.30.255.255/16; "
            "give another of 10.30.0.0/16",
        ),
        (
            {"interfaces": {"ib0": {"addresses": ["10.30.0.7/16"]}, "ib1": {"addresses": ["10.30.0.7/24"]}}},
            "expected every address once, found 10.30.0.7 again; take it out",
        ),
        (
            {"interfaces": {"ibp195s0f0": {}, "ibp195s0f1np": {"partitions": [{"key": 0x8001}]}}},
            "expected a name of at most 10 characters above partitions, found ibp195s0f1np; give its RDMA device, or "
            "rename it",
        ),
        ({"interfaces": {"ib0:1": {}}}, "String should match pattern '^[A-Za-z][A-Za-z0-9_-]*(/[1-9])?$'"),
        (
            {"manager": "wicked"},
            "Input should be 'auto', 'networkd', 'netplan', 'ifupdown' or 'networkmanager'",
        ),
    ],
)
def test_refused(data: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Ipoib.model_validate(data)
    found = [error["msg"].removeprefix("Value error, ") for error in refused.value.errors()]
    assert found == [message]


def test_links() -> None:
    interface = {"mode": "connected", "mtu": 65520, "addresses": ["10.30.0.7/16", "FD00::7/64"]}
    part = {"key": "0x8001", "addresses": ["10.31.0.7/16"]}
    options = Ipoib.model_validate({"interfaces": {"mlx5_0": {**interface, "partitions": [part]}, "ib1": {}}})
    assert options.links() == (
        Link("mlx5_0", "connected", 65520, ("10.30.0.7/16", "fd00::7/64")),
        Link("mlx5_0", "datagram", None, ("10.31.0.7/16",), parent="mlx5_0", key=0x8001),
        Link("ib1"),
    )


INVENTORY = """
def _host(address, key=0x8001):
    part = {{"key": key, "addresses": ["10.31.0.1/16"]}}
    return {{"ipoib": {{"interfaces": {{"ib0": {{"addresses": [address], "partitions": [part]}}}}}}}}

gpu = [("gpu-01", _host("10.30.0.1/16")), ("gpu-02", _host("10.30.0.{last}/16", {key}))]
"""


def test_one_address_on_two_hosts(tmp_path: Path) -> None:
    path = tmp_path / "fleet.py"
    path.write_text(INVENTORY.format(last=1, key=0x8001))
    with pytest.raises(FaultsFoundError) as caught:
        inventory.validate(path)
    assert str(caught.value) == (
        f"{path}: expected no faults, found 2 faults; correct the lines below; nothing was touched\n"
        "  gpu-02: ipoib.interfaces.ib0: 10.30.0.1 is that of gpu-01 too; give each host its own\n"
        "  gpu-02: ipoib.interfaces.ib0: 10.31.0.1 in partition 0x8001 is that of gpu-01 too; give each host its own"
    )
    assert caught.value.exit_code == 2


def test_partitions_may_have_the_same_addresses(tmp_path: Path) -> None:
    path = tmp_path / "fleet.py"
    path.write_text(INVENTORY.format(last=2, key=0x8002))
    assert list(inventory.validate(path).hosts) == ["gpu-01", "gpu-02"]
