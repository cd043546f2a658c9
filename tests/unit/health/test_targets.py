"""Which checks run on which hosts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from gpufleet.errors import InventoryError, ProjectError
from gpufleet.health.run import shares
from gpufleet.health.targets import is_checked, left_out, load, modules
from gpufleet.inventory.hosts import InventoryHost


@pytest.fixture
def checks(tmp_path: Path) -> Path:
    for name in ("conftest.py", "test_base.py", "test_nvidia_driver.py"):
        (tmp_path / name).touch()
    return tmp_path


@pytest.mark.parametrize(
    ("roles", "found"), [((), ["base", "nvidia_driver"]), (("base",), ["base"]), (("base", "base"), ["base"])]
)
def test_modules(checks: Path, roles: Sequence[str], found: list[str]) -> None:
    assert list(modules(checks, roles)) == found


@pytest.mark.parametrize(
    ("role", "message"),
    [
        ("nvidia-driver", "--role: expected a role with checks, found nvidia-driver; did you mean nvidia_driver?"),
        ("slurm", "--role: expected a role with checks, found slurm; known roles with checks: base, nvidia_driver"),
    ],
)
def test_an_unknown_role(checks: Path, role: str, message: str) -> None:
    with pytest.raises(ProjectError) as raised:
        modules(checks, ["base", role])
    assert str(raised.value) == message


@pytest.mark.parametrize(
    ("data", "roles", "expected"),
    [
        ({"base": {}}, (), True),
        ({"nvidia_driver": {}}, (), False),
        ({}, (), False),
        ({}, ("base",), True),
        ({"base": {}}, ("nvidia_driver",), False),
    ],
)
def test_is_checked(data: dict[str, Any], roles: Sequence[str], expected: bool) -> None:
    assert is_checked(InventoryHost("gpu-01", "ssh", (), data), "base", roles) is expected


def test_a_host_that_is_not_reached_by_ssh(tmp_path: Path) -> None:
    inventory = tmp_path / "lab.py"
    inventory.write_text('hosts = ["@local", "gpu-01"]\n')
    with pytest.raises(InventoryError) as raised:
        load(inventory)
    assert str(raised.value) == (
        "@local: expected a host that is reached by SSH, found the connector local; "
        "leave it out with --limit, or give it a plain name and ssh_hostname"
    )
    assert [host.name for host in load(inventory, ["gpu-01"])] == ["gpu-01"]


@pytest.mark.parametrize(
    ("cores", "number", "sizes"),
    [(2, 0, []), (2, 1, [1]), (2, 25, [25]), (2, 26, [13, 13]), (8, 60, [20, 20, 20]), (2, 101, [51, 50])],
)
def test_shares(monkeypatch: pytest.MonkeyPatch, cores: int, number: int, sizes: list[int]) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: cores)
    hosts = [InventoryHost(f"gpu-{n:03}", "ssh", (), {}) for n in range(number)]
    dealt = shares(hosts)
    assert [len(share) for share in dealt] == sizes
    assert sorted(host.name for share in dealt for host in share) == [host.name for host in hosts]


@pytest.mark.parametrize(
    ("roles", "expected"),
    [((), {"a": [], "b": []}), (("base",), {"a": ["cuda"], "b": []}), (("cuda",), {"a": ["base"], "b": []})],
)
def test_what_a_request_for_some_roles_passes_over(roles: Sequence[str], expected: dict[str, list[str]]) -> None:
    data: dict[str, dict[str, Any]] = {"a": {"base": {}, "cuda": {}, "rack": 7}, "b": {"rack": 7}}
    hosts = [InventoryHost(name, "ssh", (), values) for name, values in data.items()]
    assert left_out(hosts, roles, ["base", "cuda"]) == expected
