"""A choice in lines: what each part of a resolution looks like, and what is said where nothing can be chosen."""

from __future__ import annotations

from typing import Any

import pytest

from gpufleet.facts.machine import HostMachine
from gpufleet.stack import explain
from gpufleet.stack.evidence import Evidence
from gpufleet.stack.host.judging import Judgment
from gpufleet.stack.machine import Hardware, System
from gpufleet.stack.matrix import Matrix, load
from gpufleet.stack.resolution import DriverChoice, Package, Repository, Resolution, Service, Unpacked
from gpufleet.stack.review import Review
from gpufleet.stack.verdicts import Verdict
from gpufleet.stack.wish import Wish

WISH = Wish.model_validate({"driver": "580"})

EVERYTHING = Resolution(
    driver=DriverChoice(
        version="580.95.05",
        branch=580,
        flavor="open",
        source="nvidia",
        dkms_module="nvidia",
        module="nvidia",
        packages=(Package("driver", "nvidia-dkms-580-open", "580.95.05", "as wished"),),
        unwanted=("nvidia-dkms", "nvidia-driver-570"),
        pinning="nvidia-driver-pinning-580.95.05",
        stream="580-open",
        versionlock=("nvidia-*",),
        reason="open by default",
    ),
    packages=(Package("dcgm", "datacenter-gpu-manager-4-core", "", "major 4"),),
    services=(
        Service("nvidia-fabricmanager.service", enabled=True, reason="NVSwitches"),
        Service("nvidia-imex.service", enabled=False, masked=True, reason="left to the DRA driver"),
        Service("nvidia-dcgm.service", enabled=False),
    ),
    kernel_modules=("ib_umad",),
    module_options={"NVreg_X": "1"},
    repositories=(Repository("cuda", "https://example.test/", "ubuntu2404/", "key.pub", "A" * 40, "its page"),),
    unpacked=(Unpacked("nccl", "libnccl2", "2.28.3", "/usr/local/cuda-12.9", "for CUDA 12"),),
    cuda_default="13.0",
    gpudirect="dma-buf",
    reasons={"module ib_umad": "NVLink5", "option NVreg_X": "hardware", "gpudirect": "kernel 6.8"},
)


def test_every_part_has_a_line_with_its_reason() -> None:
    evidence = Evidence(Matrix(), System("ubuntu", "24.04"), WISH, EVERYTHING.driver)
    assert [(line.subject, line.choice, line.why) for line in explain.rows(EVERYTHING, evidence)] == [
        (
            "repository",
            "cuda https://example.test/ubuntu2404/",
            "key pinned by its fingerprint",
        ),
        ("driver", "580.95.05 open, packaged by nvidia", "open by default"),
        ("pinned by", "nvidia-driver-pinning-580.95.05", "set before the first package is installed"),
        ("module stream", "580-open", "set before the first package is installed"),
        ("versionlock", "nvidia-*", "set before the first package is installed"),
        ("driver", "nvidia-dkms-580-open 580.95.05", "as wished"),
        ("removed", "2 names", "must not lie beside it; --json lists them"),
        ("dcgm", "datacenter-gpu-manager-4-core (newest)", "major 4"),
        ("nccl", "libnccl2 2.28.3 unpacked into /usr/local/cuda-12.9", "for CUDA 12"),
        ("default", "/usr/local/cuda is 13.0", ""),
        ("module", "ib_umad", "NVLink5"),
        ("option", "NVreg_X=1", "hardware"),
        ("gpudirect", "dma-buf", "kernel 6.8"),
        ("service", "nvidia-fabricmanager.service at boot", "NVSwitches"),
        ("service", "nvidia-imex.service masked", "left to the DRA driver"),
        ("service", "nvidia-dcgm.service off", ""),
    ]


def test_a_line_names_the_row_that_it_rests_on() -> None:
    row = load().cuda_toolkit("13.0")
    assert row is not None
    assert explain.Line("cuda", "cuda-toolkit-13-0", "as wished", row).why == "as wished (row cuda 13.0)"
    assert explain.Line("cuda", "cuda-toolkit-13-0", "as wished", row).as_dict() == {
        "subject": "cuda",
        "choice": "cuda-toolkit-13-0",
        "reason": "as wished",
        "row": "cuda 13.0",
        "source": row.source,
    }


def test_columns() -> None:
    lines = [("driver", "580.95.05", "as wished"), ("repository", "cuda", "")]
    assert list(explain.aligned(lines)) == ["driver      580.95.05  as wished", "repository  cuda"]


@pytest.mark.parametrize(
    ("hardware", "words"),
    [
        ({}, "rocky-9 x86_64, no GPU, bare-metal"),
        (
            {"gpus": ("2330",) * 8, "nvswitches": 4, "rdma_adapters": 10, "kernel": "5.14.0", "secure_boot": True},
            "rocky-9 x86_64, 8 x H100 SXM5 80GB (2330), 4 NVSwitches, 10 RDMA adapters, bare-metal, kernel 5.14.0, "
            "Secure Boot",
        ),
        (
            {"gpus": ("ffff", "2901"), "nvlink5": True, "platform": "cloud"},
            "rocky-9 x86_64, 1 x GPU (ffff), 1 x B200 (2901), NVLink5 switches, cloud",
        ),
    ],
)
def test_a_machine_in_words(hardware: dict[str, Any], words: str) -> None:
    assert explain.machine_words(HostMachine(System("rocky", "9"), Hardware(**hardware))) == words


def said(judgment: Judgment) -> list[str]:
    return list(explain.lines(Review({judgment: ["gpu-1", "gpu-2"]}, {"gpu-3": "no route"})))


def test_too_little_is_known() -> None:
    assert said(Judgment(WISH, None, unknown=("os", "gpus"))) == [
        "gpu-[1-2] (2 hosts): unknown machine",
        "  nothing can be chosen: machine.os and machine.gpus are not both declared; "
        "declare it, or ask the hosts with --facts",
        "gpu-3: not asked: no route",
    ]


def test_nothing_is_wanted() -> None:
    assert said(Judgment(Wish.model_validate({}), None))[:2] == [
        "gpu-[1-2] (2 hosts): unknown machine",
        "  nothing is wanted of the stack",
    ]


def test_wishes_that_contradict_each_other() -> None:
    verdict = Verdict("error", "driver", "one value", "two", "say it in one place", "stack.driver", "inventory")
    assert said(Judgment(None, None, (verdict,), ("os", "gpus")))[1:-1] == [f"  {verdict}"]
