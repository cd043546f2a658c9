"""The table of GPUs, and the kernel modules chosen by it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpufleet.errors import GpufleetError
from gpufleet.facts.hardware import PciDevice
from gpufleet.stack.gpus import default_flavor, generation, nvidia_gpus, nvswitches, product
from gpufleet.stack.matrix import load
from gpufleet.stack.matrix.rows import GENERATIONS

DEVICE_IDS = st.integers(min_value=0, max_value=0xFFFF)


@given(DEVICE_IDS)
def test_an_id_lies_in_at_most_one_range(device: int) -> None:
    rows = [row for row in load().gpu_ranges if device in row]
    assert len(rows) <= 1
    assert generation(f"{device:04x}") == (rows[0].generation if rows else None)


@given(DEVICE_IDS, st.integers(min_value=450, max_value=700))
def test_every_id_and_branch_has_modules_and_a_reason(device: int, branch: int) -> None:
    flavor, reason = default_flavor([f"{device:04x}"], branch)
    found = generation(f"{device:04x}")
    assert reason
    if found in {"maxwell", "pascal", "volta"}:
        assert flavor == "proprietary"
    elif found in {"grace_hopper", "blackwell"}:
        assert flavor == "open"
    else:
        assert flavor == ("open" if branch >= 560 else "proprietary")


def test_every_generation_is_in_the_table() -> None:
    assert {row.generation for row in load().gpu_ranges} == set(GENERATIONS)


@pytest.mark.parametrize(
    ("device", "name", "expected"),
    [
        ("13f2", "Tesla M60", "maxwell"),
        ("15f8", "Tesla P100 PCIe 16GB", "pascal"),
        ("1db6", "Tesla V100 PCIe 32GB", "volta"),
        ("1eb8", "Tesla T4", "turing"),
        ("20b2", "A100 SXM4 80GB", "ampere"),
        ("2237", "A10G", "ampere"),
        ("2330", "H100 SXM5 80GB", "hopper"),
        ("2335", "H200 SXM 141GB", "hopper"),
        ("2342", "GH200 120GB or 480GB", "grace_hopper"),
        ("26B9", "L40S", "ada"),
        ("27b8", "L4", "ada"),
        ("2901", "B200", "blackwell"),
        ("3182", "B300 SXM6 AC", "blackwell"),
        ("31c2", "GB300", "blackwell"),
        ("2684", None, "ada"),
        ("2b85", None, "blackwell"),
        ("0fff", None, None),
        ("22a3", None, None),
    ],
)
def test_known_devices(device: str, name: str | None, expected: str | None) -> None:
    assert (product(device), generation(device)) == (name, expected)


@pytest.mark.parametrize(
    ("devices", "branch", "expected"),
    [
        (["1db6"], 570, ("proprietary", "Volta can run the proprietary modules only")),
        (["13f2", "1db6"], 535, ("proprietary", "Maxwell and Volta can run the proprietary modules only")),
        (["2330"] * 8, 535, ("proprietary", "proprietary is NVIDIA's default below branch 560")),
        (["2330"] * 8, 560, ("open", "open is NVIDIA's default from branch 560")),
        (["2342"], 535, ("open", "Grace Hopper can run the open modules only")),
        (["2901", "26b9"], 550, ("open", "Blackwell can run the open modules only")),
        ([], 550, ("proprietary", "proprietary is NVIDIA's default below branch 560")),
    ],
)
def test_default_modules(devices: list[str], branch: int, expected: tuple[str, str]) -> None:
    assert default_flavor(devices, branch) == expected


def test_gpus_that_no_driver_can_run_together() -> None:
    with pytest.raises(GpufleetError) as error:
        default_flavor(["1db6", "2901"], 570)
    assert str(error.value) == (
        "nvidia_driver: expected GPUs that one driver can run, found Blackwell (open modules only) beside "
        "Volta (proprietary modules only); take one of them out of the host"
    )


def test_devices_are_told_apart_by_vendor_and_class() -> None:
    gpu = PciDevice("0000:18:00.0", "10de", "2330", "030200")
    vga = PciDevice("0000:01:00.0", "10de", "2684", "030000")
    switch = PciDevice("0000:07:00.0", "10de", "22a3", "068000")
    audio = PciDevice("0000:01:00.1", "10de", "22ba", "040300")
    bmc = PciDevice("0000:02:00.0", "1a03", "2000", "030000")
    devices = [gpu, vga, switch, audio, bmc]
    assert nvidia_gpus(devices) == [gpu, vga]
    assert nvswitches(devices) == [switch]
