"""The site's mirrors of vendors' repositories: said once in the key `stack`, and the same for every role."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from gpufleet.facts.machine import HostMachine
from gpufleet.inventory.hosts import InventoryHost
from gpufleet.stack.host.judging import judge
from gpufleet.stack.host.resolved import resolved
from gpufleet.stack.machine import Hardware, System
from gpufleet.stack.resolution import Repository

FOUND = HostMachine(System("ubuntu", "24.04"), Hardware(("2330",) * 8, nvswitches=4, kernel="6.8.0-60-generic"))
MIRROR = {"base_url": "https://mirror.example.org/nvidia/", "key_fingerprint": "0123 4567 89ab cdef 0123" * 2}


def host(folder: Path, repositories: dict[str, Any]) -> InventoryHost:
    data = {"stack": {"driver": "580", "source": "nvidia", "repositories": repositories}}
    return InventoryHost("gpu-1", "ssh", (), data, folder=folder)


def repository(record: InventoryHost) -> Repository:
    [row] = resolved(record, FOUND, record.folder).repositories
    return row


def test_mirror_takes_the_vendors_place(tmp_path: Path) -> None:
    row = repository(host(tmp_path, {"cuda": MIRROR}))
    assert (row.base_url, row.path, row.fingerprint) == (
        "https://mirror.example.org/nvidia/",
        "compute/cuda/repos/ubuntu2404/x86_64/",
        "0123456789ABCDEF0123" * 2,
    )


def test_explain_and_roles_say_the_same(tmp_path: Path) -> None:
    record = host(tmp_path, {"cuda": {"base_url": "https://mirror.example.org/"}})
    judgment = judge(record, tmp_path, date(2026, 11, 23), found=FOUND)
    assert judgment.resolution is not None
    assert judgment.resolution.repositories == (repository(record),)


def test_without_a_mirror_it_is_the_vendors(tmp_path: Path) -> None:
    assert repository(host(tmp_path, {})).base_url == "https://developer.download.nvidia.com/"


def test_unknown_repository(tmp_path: Path) -> None:
    record = host(tmp_path, {"cudda": MIRROR})
    message = (
        "error: stack.repositories.cudda: expected a repository that the matrix knows: cuda, found cudda; correct the "
        "name, or add the repository's row beside the inventory (row stack.repositories; inventory)"
    )
    assert [str(error) for error in resolved(record, FOUND, tmp_path).errors] == [message]
    judgment = judge(record, tmp_path, date(2026, 11, 23), found=FOUND)
    assert [str(verdict) for verdict in judgment.verdicts if verdict.level == "error"] == [message]


@pytest.mark.parametrize("option", [{"key_fingerprint": "0123"}, {"base_url": "mirror.example.org"}])
def test_refused(tmp_path: Path, option: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="expected"):
        repository(host(tmp_path, {"cuda": option}))
