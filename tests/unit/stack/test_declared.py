"""What the inventory declares of a machine, and every way in which a host may deny it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from gpufleet.facts.machine import HostMachine
from gpufleet.stack.declared import DeclaredMachine, device_ids
from gpufleet.stack.machine import Hardware, System

FOUND = HostMachine(
    System("ubuntu", "24.04"), Hardware(("2330",) * 8, nvswitches=4, rdma_adapters=10, kernel="6.8.0-60-generic")
)


def declared(**fields: Any) -> DeclaredMachine:
    return DeclaredMachine.model_validate(fields)


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("2330", ("2330",)),
        ("26B9", ("26b9",)),
        ("ffff", ("ffff",)),
        ("L40S", ("26b9",)),
        ("H100 SXM5 80GB", ("2330",)),
        ("H100 SXM5", ("2330", "2339")),
        ("B200", ("2901", "2909")),
        ("GB200", ("2941",)),
        ("L4", ("27b8",)),
        ("T4", ("1eb8",)),
        ("Tesla T4", ("1eb8",)),
        ("V100 SXM2", ("1db1", "1db5")),
        ("Tesla", ()),
        ("H1", ()),
        ("H900", ()),
    ],
)
def test_ids_that_a_name_may_stand_for(name: str, ids: tuple[str, ...]) -> None:
    assert device_ids(name) == ids


def test_a_machine_as_declared() -> None:
    given = declared(os="rocky-9", arch="aarch64", gpus={"L40S": 2, "2330": 1}, nvswitches=4, secure_boot=True)
    hardware = Hardware(("2330", "26b9", "26b9"), nvswitches=4, secure_boot=True)
    assert given.machine() == HostMachine(System("rocky", "9", "aarch64"), hardware)
    assert given.unknown() == ["nvlink5", "rdma_adapters", "platform", "kernel"]


@pytest.mark.parametrize("other", ["2330", "H100 SXM5", "H100 SXM5 80GB"])
def test_one_kind_of_gpu_is_declared_once(other: str) -> None:
    with pytest.raises(ValidationError) as error:
        declared(gpus={"L40S": 1, "H100": 4, other: 4})
    assert [details["msg"] for details in error.value.errors()] == [
        f"Value error, expected each kind of GPU once, found H100 and {other}; say their sum under one"
    ]


@pytest.mark.parametrize("fields", [{}, {"os": "debian-12"}, {"gpus": {}}])
def test_too_little_is_no_machine(fields: dict[str, Any]) -> None:
    assert declared(**fields).machine() is None


def test_no_gpu_is_something_to_declare() -> None:
    assert declared(os="debian-12", gpus={}).machine() == HostMachine(System("debian", "12"), Hardware())


def test_the_operator_overrides_the_platform_and_fills_in_what_firmware_does_not_say() -> None:
    completed = declared(platform="gcp-a3-mega", secure_boot=False).completed(FOUND)
    assert completed.hardware == replace(FOUND.hardware, platform="gcp-a3-mega", secure_boot=False)


def test_firmware_counts_more_than_what_is_declared() -> None:
    found = replace(FOUND, hardware=replace(FOUND.hardware, secure_boot=True))
    assert declared(secure_boot=False).completed(found) == found


CURE = "correct the inventory, or mend the host"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"os": "ubuntu-22.04"}, "machine.os: expected ubuntu-22.04 as declared, found ubuntu-24.04"),
        ({"arch": "aarch64"}, "machine.arch: expected aarch64 as declared, found x86_64"),
        (
            {"gpus": {"H100 SXM5": 7}},
            "machine.gpus: expected 7 x H100 SXM5 as declared, found 8 x H100 SXM5 80GB (2330)",
        ),
        ({"gpus": {"L40S": 8}}, "machine.gpus: expected 8 x L40S as declared, found 8 x H100 SXM5 80GB (2330)"),
        (
            {"gpus": {"2330": 8, "26b9": 1}},
            "machine.gpus: expected 8 x 2330, 1 x 26b9 as declared, found 8 x H100 SXM5 80GB (2330)",
        ),
        ({"gpus": {}}, "machine.gpus: expected none as declared, found 8 x H100 SXM5 80GB (2330)"),
        ({"nvswitches": 6}, "machine.nvswitches: expected 6 as declared, found 4"),
        ({"nvlink5": True}, "machine.nvlink5: expected on as declared, found off"),
        ({"rdma_adapters": 8}, "machine.rdma_adapters: expected 8 as declared, found 10"),
        (
            {"kernel": "6.8.0-59-generic"},
            "machine.kernel: expected 6.8.0-59-generic as declared, found 6.8.0-60-generic",
        ),
        ({"secure_boot": True}, "machine.secure_boot: expected on as declared, found off"),
    ],
)
def test_what_is_declared_and_what_is_found(fields: dict[str, Any], message: str) -> None:
    found = replace(FOUND, hardware=replace(FOUND.hardware, secure_boot=False))
    (difference,) = declared(**fields).differences(found)
    name = message.partition(":")[0]
    assert str(difference) == f"error: {message}; {CURE} (row {name}; inventory)"


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"os": "ubuntu-24.04", "arch": "x86_64", "gpus": {"H100 SXM5": 8}, "nvswitches": 4, "rdma_adapters": 10},
        {"platform": "azure-nd-v5"},
        {"secure_boot": True},
        {"kernel": "6.8.0-60-generic"},
    ],
)
def test_nothing_differs(fields: dict[str, Any]) -> None:
    assert declared(**fields).differences(FOUND) == ()


def test_a_release_may_be_declared_without_its_point() -> None:
    found = replace(FOUND, system=System("rocky", "9.6"))
    assert declared(os="rocky-9").differences(found) == ()
    assert [verdict.found for verdict in declared(os="rocky-9.5").differences(found)] == ["rocky-9.6"]
