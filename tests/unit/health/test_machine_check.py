"""The check of declared machines, seen passing and failing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gpufleet.health.probe import Probe, Section
from gpufleet.stack.declared import DeclaredMachine
from tests.verify.test_machine import test_machine_is_as_declared as check

ANSWER = ["os ID=debian", "os VERSION_ID=12", "arch x86_64", "kernel 6.1.0-50-amd64"]
ANSWER += [f"pci 0000:1{n}:00.0 0x10de 0x2330 0x030200 0x10de 0x16c1" for n in range(7)]


def declaring(**fields: Any) -> Callable[[type[DeclaredMachine]], DeclaredMachine]:
    return lambda kind: kind.model_validate(fields)


@pytest.fixture
def probe() -> Probe:
    return Probe({"machine": Section("machine", "\n".join(ANSWER), 0)})


def test_a_host_that_is_what_was_declared(probe: Probe) -> None:
    check(probe, declaring(os="debian-12", gpus={"H100 SXM5": 7}, nvswitches=0))


def test_a_host_that_is_not(probe: Probe) -> None:
    with pytest.raises(AssertionError) as caught:
        check(probe, declaring(os="debian-13", gpus={"H100 SXM5": 8}))
    assert str(caught.value).partition("\n")[0] == (
        "machine.os: expected debian-13 as declared, found debian-12; "
        "machine.gpus: expected 8 x H100 SXM5 as declared, found 7 x H100 SXM5 80GB (2330)"
    )
