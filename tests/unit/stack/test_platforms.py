"""Platforms by firmware strings, GPUs and adapters."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from gpufleet.facts.hardware import PciDevice
from gpufleet.stack.platforms import AZURE_ASSET_TAG, platform

AZURE = {"sys_vendor": "Microsoft Corporation", "product_name": "Virtual Machine", "chassis_asset_tag": AZURE_ASSET_TAG}
GOOGLE = {"sys_vendor": "Google", "product_name": "Google Compute Engine"}


def devices(gpu: str, gvnics: int = 0) -> list[PciDevice]:
    gpus = [PciDevice(f"0000:0{n}:00.0", "10de", gpu, "030200") for n in range(8)] if gpu else []
    return gpus + [PciDevice(f"0000:1{n}:00.0", "1ae0", "0042", "020000") for n in range(gvnics)]


@pytest.mark.parametrize(
    ("dmi", "gpu", "gvnics", "expected"),
    [
        ({"sys_vendor": "Supermicro", "product_name": "SYS-821GE-TNHR"}, "2330", 0, "bare-metal"),
        ({"sys_vendor": "NVIDIA", "product_name": "DGXH100"}, "2330", 0, "bare-metal"),
        ({}, "", 0, "bare-metal"),
        (AZURE, "20b0", 0, "azure-nd-v4"),
        (AZURE, "20b2", 0, "azure-nd-v4"),
        (AZURE, "2330", 0, "azure-nd-v5"),
        (AZURE, "2335", 0, "azure-nd-v5"),
        (AZURE, "2941", 0, "azure-gb-v6"),
        (AZURE, "31c2", 0, "azure-gb-v6"),
        (AZURE, "1eb8", 0, "cloud"),
        (AZURE, "", 0, "cloud"),
        ({"sys_vendor": "Amazon EC2", "product_name": "p4de.24xlarge"}, "20b2", 0, "aws-p4"),
        ({"sys_vendor": "Amazon EC2", "product_name": "p5en.48xlarge"}, "2335", 0, "aws-p5"),
        ({"sys_vendor": "Amazon EC2", "product_name": "p6-b200.48xlarge"}, "2901", 0, "aws-p6"),
        ({"sys_vendor": "Amazon EC2", "product_name": "g6.12xlarge"}, "27b8", 0, "cloud"),
        (GOOGLE, "2330", 5, "gcp-a3-high"),
        (GOOGLE, "2330", 9, "gcp-a3-mega"),
        (GOOGLE, "2335", 2, "gcp-a3-ultra"),
        (GOOGLE, "2901", 2, "gcp-a4"),
        (GOOGLE, "27b8", 1, "cloud"),
        ({"sys_vendor": "QEMU", "product_name": "Standard PC (Q35 + ICH9, 2009)"}, "2330", 0, "cloud"),
        ({"sys_vendor": "OpenStack Foundation", "product_name": "OpenStack Nova"}, "2330", 0, "cloud"),
        ({"sys_vendor": "Microsoft Corporation", "product_name": "Virtual Machine"}, "2330", 0, "cloud"),
        ({"sys_vendor": "Microsoft Corporation", "product_name": "C2195"}, "2330", 0, "bare-metal"),
    ],
)
def test_platform(dmi: Mapping[str, str], gpu: str, gvnics: int, expected: str) -> None:
    assert platform(dmi, devices(gpu, gvnics)) == expected
