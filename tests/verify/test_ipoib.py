"""Checks of the role `ipoib`: the module, the network manager's files, and the links as the kernel has them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from testinfra.host import Host

from gpufleet.facts.ib_interfaces import IbInterfaces
from gpufleet.facts.machine import Machine
from gpufleet.facts.network import NeededInterfaces, NetworkManagerInUse
from gpufleet.health import Probe
from gpufleet.network import managers
from gpufleet.network.links import IbInterface, Link, in_use, resolved, unwanted_children
from gpufleet.operations.files import render
from roles.ipoib.options import Ipoib
from roles.ipoib.steps import AT_BOOT, MODULE

Declared = Callable[[Any], Any]

PROBE = {
    "machine": Machine().command(),
    "links": IbInterfaces().command(),
    "manager": NetworkManagerInUse().command(),
    "needed": NeededInterfaces().command(),
    "modules": f"ls -d /sys/module/{MODULE} 2>/dev/null; true",
    "at boot": f"grep -v '^#' /{AT_BOOT} 2>/dev/null; true",
    "files": f'for f in {" ".join(managers.PLACES)}; do [ -e "$f" ] || continue; '
    'printf \'== %s %s\\n\' "$(stat -c %a "$f")" "$f"; cat "$f"; done; true',
}


@pytest.fixture
def options(probe: Probe, declared: Declared, data: Mapping[str, Any]) -> Ipoib:
    """What is declared; nothing on a host without the key or without an adapter, as the role does nothing there."""
    adapters = Machine().process(probe["machine"].lines).hardware.rdma_adapters
    chosen: Ipoib = declared(Ipoib) if adapters and data.get(Ipoib.key) is not None else Ipoib.model_validate({})
    return chosen


@pytest.fixture
def found(probe: Probe) -> dict[str, IbInterface]:
    """The links that the host has."""
    return IbInterfaces().process(probe["links"].lines)


@pytest.fixture
def links(options: Ipoib, found: dict[str, IbInterface]) -> tuple[Link, ...]:
    """The links that are declared, under the names that they have here."""
    return resolved(options.links(), found)[0]


def test_module_is_loaded(probe: Probe, options: Ipoib) -> None:
    assert probe["modules"].text or not options.interfaces, f"{MODULE}: expected it loaded, found it not"


def test_module_loads_at_boot(probe: Probe, options: Ipoib) -> None:
    lines = probe["at boot"].lines
    assert lines == [MODULE] or not options.interfaces, f"/{AT_BOOT}: expected ['{MODULE}'], found {lines}"


def test_every_interface_is_there(options: Ipoib, found: dict[str, IbInterface]) -> None:
    unknown = resolved(options.links(), found)[1]
    assert not unknown, f"IPoIB: expected interfaces for {unknown}, found {sorted(found)}"


def test_every_partition_is_there(links: tuple[Link, ...], found: dict[str, IbInterface]) -> None:
    missing = [link.name for link in links if link.name not in found]
    assert not missing, f"IPoIB: expected interfaces of partitions {missing}, found none"


def test_no_other_partition_is_there(links: tuple[Link, ...], found: dict[str, IbInterface]) -> None:
    others = [item.name for item in unwanted_children(links, found)]
    assert not others, f"IPoIB: expected only declared partitions, found {others}"


def test_mode(links: tuple[Link, ...], found: dict[str, IbInterface]) -> None:
    for link in links:
        mode = found[link.name].mode if link.name in found else "no interface"
        assert mode == link.mode, f"{link.name}: expected mode {link.mode}, found {mode}"


def test_mtu(links: tuple[Link, ...], found: dict[str, IbInterface]) -> None:
    for link in links:
        mtu = found[link.name].mtu if link.name in found else "no interface"
        assert link.mtu in (None, mtu), f"{link.name}: expected MTU {link.mtu}, found {mtu}"


def test_addresses(links: tuple[Link, ...], found: dict[str, IbInterface]) -> None:
    for link in links:
        addresses = sorted(found[link.name].addresses) if link.name in found else []
        expected = sorted(link.addresses)
        assert addresses == expected, f"{link.name}: expected addresses {expected}, found {addresses}"


def test_files_are_as_declared(probe: Probe, options: Ipoib, links: tuple[Link, ...]) -> None:
    used = NetworkManagerInUse().process(probe["manager"].lines)
    name: Any = used if options.manager == "auto" else options.manager
    assert name or not links, f"network manager: expected one of {', '.join(managers.NAMES)} in use, found none"
    wanted = managers.TABLE[name].files(links) if name else ()
    expected = {f"{file.mode} {file.path}": render(file.template, **file.context).strip() for file in wanted}
    written = _files(probe["files"].text)
    wrong = sorted(name for name in expected.keys() | written.keys() if expected.get(name) != written.get(name))
    assert not wrong, f"files about IPoIB: expected them as declared for {name}, found others: {', '.join(wrong)}"


def test_the_way_to_the_host_is_elsewhere(probe: Probe, links: tuple[Link, ...], found: dict[str, IbInterface]) -> None:
    used = in_use(links, found, NeededInterfaces().process(probe["needed"].lines))
    assert not used, f"IPoIB: expected none of its interfaces on the way to this host, found {used}"


def test_other_hosts_answer(host: Host, options: Ipoib) -> None:
    for address in options.reach:
        result = host.run("ping -c 3 -i 0.2 -W 2 -q %s", str(address))
        assert not result.rc, f"ping {address}: expected an answer, found none"


def _files(text: str) -> dict[str, str]:
    """Return the files' contents by permissions and path."""
    parts = f"\n{text}".split("\n== ")[1:]
    return {name: content.strip() for name, _, content in (part.partition("\n") for part in parts)}
