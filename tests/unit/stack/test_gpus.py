"""The table of GPUs, and the devices of a host that are some."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpufleet.facts.hardware import PciDevice
from gpufleet.stack.gpus import nvidia_gpus, nvswitches, product
from gpufleet.stack.matrix import load
from gpufleet.stack.matrix.rows import GENERATIONS

DEVICE_IDS = st.integers(min_value=0, max_value=0xFFFF)


def generation(device: str) -> str | None:
    row = load().generation_of(device)
    return row.generation if row else None


@given(DEVICE_IDS)
def test_an_id_lies_in_at_most_one_range(device: int) -> None:
    rows = [row for row in load().gpu_ranges if device in row]
    assert len(rows) <= 1
    assert generation(f"{device:04x}") == (rows[0].generation if rows else None)


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


def test_devices_are_told_apart_by_vendor_and_class() -> None:
    gpu = PciDevice("0000:18:00.0", "10de", "2330", "030200")
    vga = PciDevice("0000:01:00.0", "10de", "2684", "030000")
    switch = PciDevice("0000:07:00.0", "10de", "22a3", "068000")
    audio = PciDevice("0000:01:00.1", "10de", "22ba", "040300")
    bmc = PciDevice("0000:02:00.0", "1a03", "2000", "030000")
    devices = [gpu, vga, switch, audio, bmc]
    assert nvidia_gpus(devices) == [gpu, vga]
    assert nvswitches(devices) == [switch]
