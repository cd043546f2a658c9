"""Faults in names, addresses and data names of hosts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpufleet.errors import fault_lines
from gpufleet.inventory import data_faults, host_faults
from tests.support.inventories import KNOWN, inventory_of

ROLES = ("base", "nvidia_driver")
LABEL = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", fullmatch=True)
RENAME = "rename the host: Kubernetes refuses this name for a node"
LETTERS = "expected lower-case letters, digits and inner hyphens (RFC 1123)"


def lines(hosts: Mapping[str, Mapping[str, Any]]) -> list[str]:
    return fault_lines(host_faults.find(inventory_of(hosts)))


@pytest.mark.parametrize("name", ["gpu-01", "gpu-01.rack-a.example", "10.0.0.5", "g" * 63, "@local", "@ssh/gpu-01"])
def test_allowed_names(name: str) -> None:
    assert lines({name: {}}) == []


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("GPU-01", f"{LETTERS}, found 'GPU-01'; {RENAME}"),
        ("gpu_02", f"{LETTERS}, found 'gpu_02'; {RENAME}"),
        ("gpu-03-", f"{LETTERS}, found 'gpu-03-'; {RENAME}"),
        ("gpu..example", f"{LETTERS}, found ''; {RENAME}"),
        ("@ssh/Gpu", f"{LETTERS}, found 'Gpu'; {RENAME}"),
        ("g" * 64, "expected at most 63 characters between dots, found 64; shorten it"),
        (".".join(["g" * 63] * 4), "expected at most 253 characters, found 255; shorten it"),
    ],
)
def test_names_kubernetes_refuses(name: str, problem: str) -> None:
    assert lines({name: {}}) == [f"{name}: name: {problem}"]


@given(st.lists(LABEL, min_size=1, max_size=3))
def test_every_name_of_good_labels_is_allowed(labels: list[str]) -> None:
    assert lines({".".join(labels): {}}) == []


def test_hosts_that_share_an_address() -> None:
    hosts: dict[str, dict[str, Any]] = {f"gpu-{number}": {"ssh_hostname": "10.0.0.1"} for number in (1, 2, 3)}
    hosts |= {"10.0.0.1": {"ssh_port": 22}}
    assert lines(hosts) == [
        "10.0.0.1, gpu-[2-3]: ssh_hostname: address 10.0.0.1 port 22 is that of gpu-1 too; give each host its own"
    ]


def test_another_port_or_bastion_is_another_address() -> None:
    data: list[dict[str, Any]] = [{}, {"ssh_port": 2222}, {"ssh_config_file": "other-site"}]
    assert lines({f"gpu-{n}": {"ssh_hostname": "10.0.0.1", **own} for n, own in enumerate(data)}) == []


@pytest.mark.parametrize(
    ("data", "found"),
    [
        ({"base": {}, "_sudo": True, "_env": {"A": "1"}, "ssh_port": 22, "site": "fra1", "_mine": 1}, []),
        ({"nvidia_drivers": {}}, ["gpu-1: nvidia_drivers: unknown role; did you mean nvidia_driver?"]),
        ({"NVIDIA-driver": {}}, ["gpu-1: NVIDIA-driver: unknown role; did you mean nvidia_driver?"]),
        ({"weka": {}}, ["gpu-1: weka: unknown role; known roles: base, nvidia_driver"]),
        ({"ssh_usr": "x"}, ["gpu-1: ssh_usr: unknown connection data; did you mean ssh_user?"]),
        ({"_sdo": True}, ["gpu-1: _sdo: unknown global argument; did you mean _sudo?"]),
    ],
)
def test_names_of_data(data: dict[str, Any], found: list[str]) -> None:
    host = inventory_of({"gpu-1": data}).hosts["gpu-1"]
    assert fault_lines(data_faults.find(host, KNOWN, ROLES)) == found
