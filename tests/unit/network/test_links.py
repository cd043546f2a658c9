"""Rules of IPoIB links: names become interfaces, and what is as wanted is left alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpufleet.network import managers
from gpufleet.network.links import FIRST_KEY, LAST_KEY, IbInterface, Link, child, differing, in_use, resolved
from gpufleet.operations.files import render

PORTS = {
    "ib0": IbInterface("ib0", "mlx4_0", 1),
    "ib1": IbInterface("ib1", "mlx4_0", 2),
    "ib0.8001": IbInterface("ib0.8001", "mlx4_0", 1, "ib0", 0x8001),
}


@pytest.mark.parametrize(
    ("given_name", "found"),
    [("ib1", "ib1"), ("mlx4_0", "ib0"), ("mlx4_0/1", "ib0"), ("mlx4_0/2", "ib1"), ("mlx4_0/3", ""), ("mlx5_0", "")],
)
def test_names(given_name: str, found: str) -> None:
    links, unknown = resolved([Link(given_name), Link(given_name, parent=given_name, key=0x8002)], PORTS)
    if found:
        assert [link.name for link in links] == [found, f"{found}.8002"]
        assert unknown == []
    else:
        assert (links, unknown) == ((), [given_name])


def test_what_carries_the_way_to_the_host() -> None:
    links = (Link("ib0"), Link("ib1.8001", parent="ib1", key=0x8001))
    needed = {"ib1": "the default route", "eth0": "this SSH session"}
    assert in_use(links, {}, needed) == {"ib1": "the default route"}


def test_a_partition_that_would_go_may_carry_it_too() -> None:
    needed = {"ib0.8001": "this SSH session"}
    assert in_use((Link("ib0"),), PORTS, needed) == needed


keys = st.integers(FIRST_KEY, LAST_KEY)
wanted = st.builds(
    Link,
    name=st.just("ib0"),
    mode=st.sampled_from(["datagram", "connected"]),
    mtu=st.none() | st.integers(1280, 4092),
    addresses=st.lists(st.ip_addresses(v=4).map(lambda ip: f"{ip}/16"), max_size=3, unique=True).map(tuple),
)


@given(wanted)
def test_a_link_as_wanted_does_not_differ_whatever_the_order_of_its_addresses(link: Link) -> None:
    there = IbInterface("ib0", mode=link.mode, mtu=link.mtu or 2044, addresses=link.addresses[::-1])
    assert differing([link], {"ib0": there}) == []
    assert differing([link], {}) == [link]
    assert differing([link], {"ib0": replace(there, addresses=(*there.addresses, "192.0.2.1/32"))}) == [link]


@given(keys)
def test_children_have_the_kernels_names(key: int) -> None:
    assert int(child("ib0", key).rpartition(".")[2], 16) == key
    assert len(child("ib0", key)) == len("ib0.8001")


@given(wanted, st.lists(keys, unique=True, max_size=4), st.sampled_from(managers.NAMES))
def test_every_address_is_in_the_managers_files(link: Link, some: list[int], name: managers.Name) -> None:
    links = (link, *(Link(child("ib0", key), parent="ib0", key=key) for key in some))
    files = managers.TABLE[name].files(links)
    texts = [render(file.template, **file.context) for file in files]
    text = "".join(texts)
    assert all(address in text for address in link.addresses)
    assert all(link.name in text for link in links)
    assert len({file.path for file in files}) == len(files)
    assert all(text.startswith("# Managed by gpufleet") for text in texts)
