"""What roles are told at deploy time: one question to the host, all wishes, and the inventory's own word."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from pyinfra.api.facts import FactBase

from gpufleet.facts.kernel import RunningKernel
from gpufleet.facts.machine import HostMachine, Machine
from gpufleet.inventory.hosts import InventoryHost
from gpufleet.stack.host import overlay, resolved
from gpufleet.stack.machine import Hardware, System

FOUND = HostMachine(System("ubuntu", "24.04"), Hardware(("2330",) * 8, nvswitches=4, kernel="6.8.0-60-generic"))
WISH = {"stack": {"driver": "580", "source": "nvidia"}}


class Answering:
    """A host of pyinfra that counts what it is asked."""

    def __init__(self, data: Mapping[str, Any], *, executing: bool = False) -> None:
        self.name, self.data, self.state = "gpu-1", data, Mock(is_executing=executing)
        self.asked: list[type[FactBase[Any]]] = []

    def get_fact(self, fact: type[FactBase[Any]]) -> Any:
        self.asked.append(fact)
        return {Machine: FOUND, RunningKernel: "6.8.0-61-generic"}[fact]


Ask = Callable[..., Any]


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(overlay.VARIABLE, str(tmp_path / "fleet.py"))


def resolution(host: Any) -> Any:
    return resolved.resolution(host)


def test_all_roles_of_a_host_ask_it_once() -> None:
    host = Answering(WISH)
    first, second = resolution(host), resolution(host)
    assert (first, host.asked) == (second, [Machine])
    assert first.driver.branch == 580


def test_each_host_is_asked_for_itself() -> None:
    hosts = [Answering(WISH), Answering(WISH)]
    for host in hosts:
        resolution(host)
    assert [host.asked for host in hosts] == [[Machine], [Machine]]


def test_the_kernel_is_asked_for_again_while_operations_run() -> None:
    host: Any = Answering(WISH)
    resolved.machine(host)
    host.state.is_executing = True
    assert resolved.machine(host).hardware == replace(FOUND.hardware, kernel="6.8.0-61-generic")
    assert host.asked == [Machine, RunningKernel]


def test_what_the_inventory_declares_and_the_host_denies_forbids_everything() -> None:
    answer = resolution(Answering({**WISH, "machine": {"gpus": {"H100 SXM5": 4}}}))
    assert (answer.driver, answer.packages) == (None, ())
    assert [str(error) for error in answer.errors] == [
        "error: machine.gpus: expected 4 x H100 SXM5 as declared, found 8 x H100 SXM5 80GB (2330); "
        "correct the inventory, or mend the host (row machine.gpus; inventory)"
    ]


def test_checks_on_hosts_resolve_the_same_from_the_record_of_the_inventory(tmp_path: Path) -> None:
    record = InventoryHost("gpu-1", "ssh", (), WISH, folder=tmp_path)
    assert resolved.resolved(record, FOUND, record.folder) == resolution(Answering(WISH))
