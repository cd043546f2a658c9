"""What a host said of itself over SSH, and an answer that it did not finish."""

from __future__ import annotations

import pytest

from gpufleet.facts.machine import HostMachine
from gpufleet.health.outcomes import CheckError
from gpufleet.health.probe import Section
from gpufleet.stack.machine import Hardware, System
from gpufleet.stack.survey import heard

TEXT = """os ID=ubuntu
os VERSION_ID="24.04"
arch x86_64
kernel 6.8.0-60-generic"""


def test_an_answer() -> None:
    machine = HostMachine(System("ubuntu", "24.04"), Hardware(kernel="6.8.0-60-generic"))
    assert heard({"machine": Section("machine", TEXT, 0)}) == machine


def test_half_an_answer_is_none() -> None:
    section = Section("machine", TEXT, 124, "timeout: sending signal TERM to command 'sh'")
    with pytest.raises(CheckError) as error:
        heard({"machine": section})
    assert str(error.value) == "probe section machine: expected an answer within 20 s, found none"
