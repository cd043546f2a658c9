"""Every check of the role ipoib, seen passing and failing."""

from __future__ import annotations

from typing import Any

import pytest

from gpufleet.network import managers
from gpufleet.network.links import Link
from tests.support.check_runs import Answer, outcomes, shown
from tests.verify import test_ipoib as module

PART = {"key": 0x8001, "mtu": 2044, "addresses": ["10.31.0.7/16"]}
RAIL = {"mode": "connected", "mtu": 65520, "addresses": ["10.30.0.7/16"], "partitions": [PART]}
DATA: dict[str, Any] = {"ipoib": {"interfaces": {"mlx5_0": RAIL}, "reach": ["10.30.0.8"]}}
LINKS = (
    Link("ib0", "connected", 65520, ("10.30.0.7/16",)),
    Link("ib0.8001", "datagram", 2044, ("10.31.0.7/16",), "ib0", 0x8001),
)
FILES = shown({f.path: (f.mode, f.template, f.context) for f in managers.TABLE["networkd"].files(LINKS)})
PARENT, CHILD = "link ib0 mlx5_0 0 - 0xffff connected 65520", "link ib0.8001 mlx5_0 0 ib0 0x8001 datagram 2044"
ADDRESSES = ["addr 5: ib0    inet 10.30.0.7/16 scope global", "addr 6: ib0.8001    inet 10.31.0.7/16 scope global"]
ADAPTER = ["pci 0000:18:00.0 0x15b3 0x1021 0x020700"]
GOOD: dict[str, Any] = {
    "machine": ADAPTER,
    "links": [PARENT, CHILD, *ADDRESSES],
    "manager": "networkd",
    "needed": "route default via 10.0.0.1 dev eth0",
    "modules": "/sys/module/ib_ipoib",
    "at boot": "ib_ipoib",
    "files": FILES,
}
FILE_NAMES = ", ".join(sorted(f"644 {file.path}" for file in managers.TABLE["networkd"].files(LINKS)))


def test_as_declared() -> None:
    assert outcomes(module, GOOD, DATA, Answer()) == {}


@pytest.mark.parametrize("data", [{}, DATA])
def test_a_host_without_the_key_or_an_adapter(data: dict[str, Any]) -> None:
    empty = dict.fromkeys(GOOD, "")
    bare = {**empty, "machine": ADAPTER if not data else ""}
    assert outcomes(module, bare, {"ipoib": {**data["ipoib"], "reach": []}} if data else {}, Answer()) == {}


@pytest.mark.parametrize(
    ("changes", "failing"),
    [
        ({"modules": ""}, {"module_is_loaded": "ib_ipoib: expected it loaded, found it not"}),
        (
            {"at boot": ""},
            {
                "module_loads_at_boot": "/etc/modules-load.d/gpufleet-ipoib.conf: expected ['ib_ipoib'], found []",
            },
        ),
        (
            {"links": [], "files": ""},
            {"every_interface_is_there": "IPoIB: expected interfaces for ['mlx5_0'], found []"},
        ),
        (
            {"links": [PARENT, *ADDRESSES]},
            {
                "every_partition_is_there": "IPoIB: expected interfaces of partitions ['ib0.8001'], found none",
                "mode": "ib0.8001: expected mode datagram, found no interface",
                "mtu": "ib0.8001: expected MTU 2044, found no interface",
                "addresses": "ib0.8001: expected addresses ['10.31.0.7/16'], found []",
            },
        ),
        (
            {"links": [PARENT, CHILD, "link ib0.8009 mlx5_0 0 ib0 0x8009 datagram 2044", *ADDRESSES]},
            {"no_other_partition_is_there": "IPoIB: expected only declared partitions, found ['ib0.8009']"},
        ),
        (
            {"links": [PARENT.replace("connected", "datagram"), CHILD, *ADDRESSES]},
            {"mode": "ib0: expected mode connected, found datagram"},
        ),
        (
            {"links": [PARENT.replace("65520", "2044"), CHILD, *ADDRESSES]},
            {"mtu": "ib0: expected MTU 65520, found 2044"},
        ),
        (
            {"links": [PARENT, CHILD, ADDRESSES[1], ADDRESSES[0].replace("0.7", "0.9")]},
            {"addresses": "ib0: expected addresses ['10.30.0.7/16'], found ['10.30.0.9/16']"},
        ),
        (
            {"files": FILES.replace("MTUBytes=65520", "MTUBytes=1500")},
            {
                "files_are_as_declared": "files about IPoIB: expected them as declared for networkd, found others: "
                "644 /etc/systemd/network/05-gpufleet-ib0.network"
            },
        ),
        (
            {"files": ""},
            {
                "files_are_as_declared": "files about IPoIB: expected them as declared for networkd, found others: "
                + FILE_NAMES
            },
        ),
        (
            {"manager": "", "files": ""},
            {
                "files_are_as_declared": "network manager: expected one of networkd, netplan, ifupdown, networkmanager "
                "in use, found none"
            },
        ),
        (
            {"needed": "ssh 5: ib0    inet 10.30.0.7/16"},
            {
                "the_way_to_the_host_is_elsewhere": "IPoIB: expected none of its interfaces on the way to this host, "
                "found {'ib0': 'this SSH session'}"
            },
        ),
    ],
)
def test_otherwise(changes: dict[str, Any], failing: dict[str, str]) -> None:
    assert outcomes(module, {**GOOD, **changes}, DATA, Answer()) == failing


def test_a_host_that_does_not_answer() -> None:
    assert outcomes(module, GOOD, DATA, Answer(rc=1)) == {
        "other_hosts_answer": "ping 10.30.0.8: expected an answer, found none"
    }
