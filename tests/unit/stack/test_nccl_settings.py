"""What NCCL may be told: variables with their types, profiles of platforms, topologies, and what containers get."""

from __future__ import annotations

import json
from typing import Any, get_args
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gpufleet.stack.machine import Platform
from gpufleet.stack.nccl_settings import cdi, profiles, topology, variables
from gpufleet.stack.nccl_settings.configuration import TOPOLOGY_FILE, configuration
from gpufleet.stack.nccl_settings.profiles import Profile
from gpufleet.stack.nccl_settings.topology import Topology
from gpufleet.stack.nccl_settings.variables import Variables

NOT_KEPT = "is for one run of one job and never kept for all; set it in that job's environment"
HARMFUL = "is listed under Debugging by NVIDIA and harmful where no problem asks for it; put it in workarounds"


@pytest.mark.parametrize(
    ("name", "value", "kind", "fault"),
    [
        ("NCCL_IB_HCA", "=mlx5_0:1,mlx5_1:1", "system", None),
        ("NCCL_IB_HCA", "^=mlx5_1,mlx5_4", "system", None),
        ("NCCL_IB_HCA", "=mlx5_0::0:0", "system", None),
        ("NCCL_SOCKET_IFNAME", "^docker,lo", "system", None),
        ("NCCL_IB_TIMEOUT", 22, "system", None),
        ("NCCL_IB_PKEY_VALUE", "0x8111", "system", None),
        ("NCCL_IB_QPS_PER_CONNECTION", 4, "workaround", None),
        ("NCCL_NET_GDR_LEVEL", "PIX", "workaround", None),
        ("NCCL_DEBUG", "INFO", "system", f"NCCL_DEBUG {NOT_KEPT}"),
        ("NCCL_TOPO_DUMP_FILE", "/tmp/x", "workaround", f"NCCL_TOPO_DUMP_FILE {NOT_KEPT}"),
        ("NCCL_IB_QPS_PER_CONNECTION", 4, "system", f"NCCL_IB_QPS_PER_CONNECTION {HARMFUL}"),
        ("NCCL_IB_HCA", "=mlx5_0", "workaround", "NCCL_IB_HCA is a setting of the system; put it in settings"),
        (
            "NCCL_IB_HCAS",
            "=mlx5_0",
            "system",
            "unknown variable NCCL_IB_HCAS; did you mean NCCL_IB_HCA? a newer one belongs in extra",
        ),
        ("XYZ", 1, "system", "unknown variable XYZ; a newer one belongs in extra"),
        (
            "NCCL_IB_TIMEOUT",
            32,
            "system",
            "NCCL_IB_TIMEOUT: expected an integer from 1 to 31, found 32; correct it",
        ),
        (
            "NCCL_IB_HCA",
            "mlx5_0 ib",
            "system",
            "NCCL_IB_HCA: expected names with commas between them, `^` or `=` in front, found 'mlx5_0 ib'; correct it",
        ),
        (
            "NCCL_TOPO_FILE",
            "topo.xml",
            "system",
            "NCCL_TOPO_FILE: expected an absolute path, found 'topo.xml'; correct it",
        ),
        ("NCCL_SHM_DISABLE", "yes", "workaround", "NCCL_SHM_DISABLE: expected 0 or 1, found 'yes'; correct it"),
        (
            "NCCL_P2P_LEVEL",
            "FAR",
            "workaround",
            "NCCL_P2P_LEVEL: expected one of LOC, NVL, PIX, PXB, PHB, SYS, found 'FAR'; correct it",
        ),
    ],
)
def test_settings(name: str, value: variables.Value, kind: variables.Class, fault: str | None) -> None:
    assert variables.fault(name, value, kind) == fault


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("NCCL_SOME_FUTURE_OPTION", "a b", None),
        ("NCCL_FASTRAK_IFNAME", "eth1,eth2", None),
        ("LD_PRELOAD", "x", "expected a name such as NCCL_NEW_OPTION, found 'LD_PRELOAD'; correct it"),
        ("NCCL_IB_HCA", "=mlx5_0", "NCCL_IB_HCA is known; put it in settings"),
        ("NCCL_PROTO", "Simple", "NCCL_PROTO is known; put it in workarounds"),
        ("NCCL_DEBUG", "INFO", f"NCCL_DEBUG {NOT_KEPT}"),
        ("NCCL_X", "a\nNCCL_DEBUG=INFO", "NCCL_X: expected one line of text, found 'a\\nNCCL_DEBUG=INFO'; correct it"),
        ("NCCL_X", " a", "NCCL_X: expected one line of text, found ' a'; correct it"),
    ],
)
def test_extra(name: str, value: str, fault: str | None) -> None:
    assert variables.extra_fault(name, value) == fault


@given(st.sampled_from(sorted(variables.table())), st.text() | st.integers())
def test_what_is_taken_fits_one_line(name: str, value: variables.Value) -> None:
    """Whatever passes cannot become a second setting or a comment in the file."""
    row = variables.table()[name]
    if variables.fault(name, value, row.kind) is None:
        text = str(value)
        assert text
        assert text == text.strip()
        assert text.isprintable()


@pytest.mark.parametrize("platform", get_args(Platform))
def test_every_platform_has_settings_that_nccl_takes(platform: Platform) -> None:
    row = profiles.table()[platform]
    assert row.source
    found = configuration(platform, {})
    assert not [
        name for name in found.settings if name in variables.table() and variables.table()[name].kind == "debug"
    ]
    assert bool(found.topology) == (found.settings.get("NCCL_TOPO_FILE") == TOPOLOGY_FILE)


def test_own_settings_beat_the_profile() -> None:
    own: dict[str, variables.Value] = {"NCCL_IGNORE_CPU_AFFINITY": 0, "NCCL_IB_HCA": "=mlx5_ib0"}
    assert configuration("azure-nd-v4", own).settings == {
        "NCCL_IB_HCA": "=mlx5_ib0",
        "NCCL_IB_PCI_RELAXED_ORDERING": "1",
        "NCCL_IGNORE_CPU_AFFINITY": "0",
        "NCCL_TOPO_FILE": TOPOLOGY_FILE,
    }


def test_a_topology_of_ones_own() -> None:
    assert configuration("azure-nd-v5", {"NCCL_TOPO_FILE": "/opt/own.xml"}).topology == ""
    assert configuration("azure-nd-v5", {"NCCL_TOPO_FILE": "/opt/own.xml"}).settings["NCCL_TOPO_FILE"] == "/opt/own.xml"
    found = configuration("bare-metal", {}, "<system/>")
    assert (found.topology, found.settings) == ("<system/>", {"NCCL_TOPO_FILE": TOPOLOGY_FILE})


@pytest.mark.parametrize(("name", "nodes", "affinity"), [
    ("azure-nd-v4", 4, "00000000,00000000,00ffffff"), ("azure-nd-v5", 2, "ffffffff,ffff0000,00000000"),
])  # fmt: skip
def test_topologies(name: str, nodes: int, affinity: str) -> None:
    row = topology.table()[name]
    system = ElementTree.fromstring(row.xml())
    cpus = system.findall("cpu")
    classes = [pci.get("class") for pci in system.findall("cpu/pci/pci")]
    assert (len(row.gpus), len(row.adapters), len(cpus)) == (8, 8, nodes)
    assert (classes.count("0x030200"), classes.count("0x020700")) == (8, 8)
    assert cpus[0].get("affinity") == affinity
    assert sum(bin(int(cpu.get("affinity", "0").replace(",", ""), 16)).count("1") for cpu in cpus) == 96
    assert len({pci.get("busid") for pci in system.iter("pci")}) == len(list(system.iter("pci")))


@pytest.mark.parametrize(
    ("model", "row", "problem"),
    [
        (
            Profile,
            {"source": "x", "settings": {"NCCL_DEBUG": "INFO"}},
            "NCCL_DEBUG: 'INFO' is no setting for a platform",
        ),
        (Profile, {"source": "x", "settings": {}, "plugin": {"NCCL_PROTO": "LL"}}, "NCCL_PROTO is known; put it in"),
        (Profile, {"source": "x", "settings": {}, "topology": "mars"}, "no topology mars"),
        (
            Variables,
            {"source": "x", "variables": {"NCCL_A": {"class": "system", "type": "choice"}}},
            "NCCL_A: values belong to the type choice, and it needs some",
        ),
        (
            Variables,
            {"source": "x", "variables": {"NCCL_A": {"class": "system", "type": "bool", "max": 1}}},
            "NCCL_A: bounds belong to the type int",
        ),
        (
            Variables,
            {"source": "x", "variables": {"A": {"class": "system", "type": "bool"}}},
            "A is no name of a variable",
        ),
    ],
)
def test_rows_that_contradict_themselves(model: Any, row: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        model.model_validate(row)


def test_a_device_in_two_places() -> None:
    row = topology.table()["azure-nd-v4"].model_dump()
    row["nodes"][1]["switches"] = row["nodes"][0]["switches"]
    with pytest.raises(ValidationError, match="a processor or a device is in two places"):
        Topology.model_validate(row)


def test_what_containers_get() -> None:
    """What CDI's schema asks for: version, kind `vendor/class`, devices with edits, mounts with both paths."""
    found = json.loads(cdi.text())
    assert found == cdi.document()
    assert set(found) == {"cdiVersion", "kind", "devices"}
    vendor, _, kind = found["kind"].partition("/")
    assert (vendor, kind) == ("gpufleet.io", "nccl")
    for device in found["devices"]:
        assert set(device) == {"name", "containerEdits"}
        assert set(device["containerEdits"]) <= {"env", "mounts"}
        for mount in device["containerEdits"]["mounts"]:
            assert set(mount) == {"hostPath", "containerPath", "options"}
            assert mount["hostPath"] == mount["containerPath"]
            assert "ro" in mount["options"]
        assert all("=" in text for text in device["containerEdits"].get("env", []))
