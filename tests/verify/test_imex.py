"""Checks of the role `imex`: the driver's version, running or left to the DRA driver, and none where none belongs."""

from __future__ import annotations

import pytest

from gpufleet.health import Probe
from roles.imex.options import Imex
from roles.imex.steps import NODES, PROGRAM, UNIT
from tests.verify import companion_readings
from tests.verify.companion_readings import Companion, Declared, unit_probe, version_in

CHANNEL = "/dev/nvidia-caps-imex-channels/channel0"
#: Option of the kernel module; only compute trays get it.
MAKES_CHANNEL = "NVreg_CreateImexChannel0"
PROBE = {
    **companion_readings.PROBE,
    **unit_probe(UNIT),
    "program": f"{PROGRAM} --version 2>/dev/null; true",
    "nodes": f"cat /{NODES} 2>/dev/null; true",
    "addresses": "ip -o addr show | awk '{print $4}' | cut -d/ -f1",
    "channel": f"ls {CHANNEL} 2>/dev/null; true",
}
AFTER = ("nvidia-persistenced.service", "nvidia-fabricmanager.service", "network-online.target")
BEFORE = ("kubelet.service", "slurmd.service")


@pytest.fixture
def found(probe: Probe, declared: Declared) -> Companion:
    """Read the host."""
    return Companion.read(probe, declared, "imex", "imex")


@pytest.fixture
def runs(found: Companion, declared: Declared) -> bool:
    """Whether the daemon is to run here."""
    options: Imex = declared(Imex)
    return bool(found.wanted) and options.run != "dra"


def test_stack_fits(found: Companion) -> None:
    said = found.says_what_does_not_fit()
    assert not said, f"IMEX: expected a stack that fits, found {said}"


def test_package_is_the_drivers_version(found: Companion) -> None:
    said = found.says_versions()
    assert not said, f"IMEX: {said}"


def test_package_is_held(found: Companion) -> None:
    said = found.says_holds()
    assert not said, f"IMEX: {said}"


def test_daemon_is_of_the_loaded_module(found: Companion) -> None:
    version = version_in(found.probe["program"].text)
    if found.wanted:
        assert version == found.loaded, (
            f"{PROGRAM}: expected version {found.loaded or 'of a loaded module'} as the loaded module, which it would "
            f"refuse otherwise, found {version or 'none'}"
        )


def test_unit_is_as_declared(found: Companion, runs: bool) -> None:
    said = found.says_unit(UNIT, "active and enabled" if runs else "inactive and masked") if found.wanted else ""
    assert not said, f"{UNIT}: {said}"


def test_order_at_boot(found: Companion, runs: bool) -> None:
    said = found.says_order(UNIT, AFTER, BEFORE) if runs else ""
    assert not said, f"{UNIT}: {said}"


def test_nodes_are_as_declared(found: Companion, runs: bool, declared: Declared) -> None:
    options: Imex = declared(Imex)
    expected, lines = [str(node) for node in options.nodes], found.probe["nodes"].lines
    assert not runs or lines == expected, f"/{NODES}: expected {expected}, found {lines}"


def test_host_is_one_of_the_nodes(found: Companion, runs: bool) -> None:
    nodes, own = found.probe["nodes"].lines, found.probe["addresses"].lines
    assert not runs or set(nodes) & set(own), f"/{NODES}: expected an address of this host, found {nodes}"


def test_channel_is_there(found: Companion, runs: bool) -> None:
    made = runs and found.chosen is not None and MAKES_CHANNEL in found.chosen.module_options
    assert not made or found.probe["channel"].text, f"{CHANNEL}: expected it, found none"


def test_nothing_where_none_belongs(found: Companion) -> None:
    said = found.says_leftovers(UNIT)
    assert not said, f"IMEX: {said}"
