"""Choosing a subnet that leads nowhere else, and addresses in it."""

from __future__ import annotations

from ipaddress import IPv4Network
from itertools import islice

from gpufleet.lab import network
from gpufleet.lab.network import Network

#: /proc/net/route of a machine with a default route, 10.213.0.0/23 and 172.17.0.0/16.
ROUTES = """\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
vpn0\t0000D50A\t00000000\t0001\t0\t0\t0\t00FEFFFF\t0\t0\t0
docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
"""
#: /proc/net/tcp with a server on 10.213.3.1 that outlived its network, and one on every address.
SOCKETS = """\
  sl  local_address rem_address   st tx_queue rx_queue
   0: 0103D50A:0C46 00000000:0000 0A 00000000:00000000
   1: 00000000:0016 00000000:0000 0A 00000000:00000000
"""


def test_subnets_that_a_route_leads_into_are_left_alone() -> None:
    assert [str(subnet) for subnet in islice(network.candidates(ROUTES, ""), 2)] == ["10.213.2.0/24", "10.213.3.0/24"]


def test_subnets_with_a_socket_left_over_are_left_alone() -> None:
    found = islice(network.candidates(ROUTES, SOCKETS), 2)
    assert [str(subnet) for subnet in found] == ["10.213.2.0/24", "10.213.4.0/24"]


def test_a_machine_without_routes() -> None:
    assert next(network.candidates("Iface\tDestination\n", "")) == IPv4Network("10.213.0.0/24")


def test_hosts_get_the_lowest_free_addresses() -> None:
    net = Network("gpufleet-x", IPv4Network("10.213.7.0/24"))
    assert net.gateway == "10.213.7.1"
    assert list(islice(net.free(["10.213.7.11", "10.213.7.13"]), 2)) == ["10.213.7.12", "10.213.7.14"]
