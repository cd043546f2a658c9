"""The site's mirrors of vendors' repositories: said once in the key `stack`, and the same for every role."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

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
        "error: stack.repositories.cudda: expected a repository that the matrix knows: cuda, doca, docker, kubernetes, "
        "nvidia-container-toolkit, found cudda; correct the name, or add the repository's row beside the inventory "
        "(row stack.repositories; inventory)"
    )
    assert [str(error) for error in resolved(record, FOUND, tmp_path).errors] == [message]
    judgment = judge(record, tmp_path, date(2026, 11, 23), found=FOUND)
    assert [str(verdict) for verdict in judgment.verdicts if verdict.level == "error"] == [message]


def test_a_key_that_nobody_has_vouched_for(tmp_path: Path) -> None:
    found = replace(FOUND, system=System("rocky", "10.1"))
    judgment = judge(host(tmp_path, {}), tmp_path, date(2026, 11, 23), found=found)
    source = "https://developer.download.nvidia.com/compute/cuda/repos/rhel10/x86_64/CDF6BA43.pub"
    assert [str(verdict) for verdict in judgment.verdicts if verdict.level == "error"] == [
        f"error: stack.repositories.cuda.key_fingerprint: expected the fingerprint of {source}, forty hexadecimal "
        "digits, found none in the matrix; read the key's fingerprint where you trust it, and name it there (row "
        f"repository cuda; {source})"
    ]
    pinned = judge(host(tmp_path, {"cuda": MIRROR}), tmp_path, date(2026, 11, 23), found=found)
    assert [verdict for verdict in pinned.verdicts if verdict.level == "error"] == []


def test_a_key_of_the_controllers(tmp_path: Path) -> None:
    key = tmp_path / "key.asc"
    key.write_text("-----BEGIN PGP PUBLIC KEY BLOCK-----\n")
    assert repository(host(tmp_path, {"cuda": {"key_file": str(key)}})).key == key.read_text()


CURE = "put the armored key there, or correct the path"
REFUSED = {
    "short fingerprint": (
        {"key_fingerprint": "0123"},
        "expected forty hexadecimal digits, found '0123'; `gpg --show-keys` prints it",
    ),
    "no URL": (
        {"base_url": "mirror.example.org"},
        "expected a URL, found 'mirror.example.org'; write it like https://mirror.example.org/nvidia/",
    ),
    "no file": (
        {"key_file": "{folder}/none.asc"},
        f"expected a file on this controller, found no {{folder}}/none.asc; {CURE}",
    ),
    "no key": (
        {"key_file": "{folder}/else.asc"},
        f"expected an armored OpenPGP key, found something else in {{folder}}/else.asc; {CURE}",
    ),
}


@pytest.mark.parametrize(("option", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(tmp_path: Path, option: dict[str, str], message: str) -> None:
    (tmp_path / "else.asc").write_bytes(b"\x99\x01binary")
    given = {name: value.format(folder=tmp_path) for name, value in option.items()}
    with pytest.raises(ValidationError) as error:
        repository(host(tmp_path, {"cuda": given}))
    assert [details["msg"] for details in error.value.errors()] == [f"Value error, {message.format(folder=tmp_path)}"]
