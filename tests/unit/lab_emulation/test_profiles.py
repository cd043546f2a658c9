"""Profiles, the devices they describe, and the kernel that is booted."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from pydantic import ValidationError

from gpufleet.errors import LabError
from gpufleet.lab import profiles
from gpufleet.lab.emulation.emulated import boot, paths, pci


def devices(name: str) -> list[pci.Device]:
    content = profiles.Profile.load(name).model_dump_json()
    return pci.devices(paths.parse_json(content))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("hgx-h100", {"10de:2330": 8, "10de:22a3": 4, "15b3:1021": 10, "144d:a80a": 8}),
        ("l40s-pcie", {"10de:26b9": 4, "15b3:101d": 2, "144d:a80a": 2}),
        ("cpu-only", {"14e4:16d8": 2, "144d:a80a": 1}),
        ("azure-nd-h100-v5", {"10de:2330": 8, "10de:22a3": 4, "15b3:101e": 8}),
        ("hgx-a100", {"10de:20b2": 8, "10de:1af1": 6, "15b3:101b": 8, "144d:a80a": 8}),
        ("hgx-b200", {"10de:2901": 8, "15b3:1021": 12, "144d:a80a": 8}),
        ("gb200-tray", {"10de:2941": 4, "15b3:1021": 4, "15b3:a2dc": 2, "144d:a80a": 2}),
        ("v100-sxm2", {"10de:1db5": 4, "15b3:1017": 1, "144d:a804": 1}),
        ("aws-p5", {"10de:2330": 8, "10de:22a3": 4, "1d0f:efa2": 32, "1d0f:ec20": 1, "1d0f:cd01": 8}),
        ("gcp-a3", {"10de:2330": 8, "1ae0:0042": 5, "1ae0:001f": 2}),
    ],
)
def test_a_profile_has_its_devices(name: str, expected: dict[str, int]) -> None:
    found: dict[str, int] = {}
    for device in devices(name):
        key = f"{device.vendor:04x}:{device.device:04x}"
        found[key] = found.get(key, 0) + 1
    assert found == expected


def test_every_profile_is_known_by_name() -> None:
    assert profiles.names() == [
        *("aws-p5", "azure-nd-h100-v5", "cpu-only", "gb200-tray", "gcp-a3", "hgx-a100", "hgx-b200", "hgx-h100"),
        *("l40s-pcie", "v100-sxm2"),
    ]


def test_an_unknown_profile_names_the_known_and_the_nearest() -> None:
    with pytest.raises(LabError) as caught:
        profiles.Profile.load("hgx-h1000")
    assert str(caught.value) == (
        "profile 'hgx-h1000': expected one of aws-p5, azure-nd-h100-v5, cpu-only, gb200-tray, gcp-a3, hgx-a100, "
        "hgx-b200, hgx-h100, l40s-pcie, v100-sxm2, found no such profile; did you mean hgx-h100?"
    )


def test_a_link_speed_that_no_generation_has_is_refused() -> None:
    group = {**profiles.Profile.load("l40s-pcie").pci[0].model_dump(), "link_speed": 7.0}
    with pytest.raises(ValidationError, match="expected one of"):
        profiles.PciDevices.model_validate(group)


@pytest.mark.parametrize("name", profiles.names())
def test_configuration_space_agrees_with_the_files(name: str) -> None:
    for device in devices(name):
        space, files = pci.config_space(device), pci.files(device)
        vendor, product = struct.unpack_from("<HH", space, 0)
        assert (f"{vendor:#06x}", f"{product:#06x}") == (files["vendor"], files["device"])
        assert f"{struct.unpack_from('<I', space, 8)[0] >> 8:#08x}" == files["class"]
        assert (len(space), len(files["resource"].splitlines())) == (256, 13)


def test_only_the_ports_of_nvlink5_switches_carry_their_mark() -> None:
    marked = {device.address for device in devices("hgx-b200") if b"SMDL=SW_MNG" in pci.vital_product_data(device.vpd)}
    assert marked == {f"0000:05:00.{function}" for function in range(4)}
    assert [
        device for name in ("gb200-tray", "hgx-h100") for device in devices(name) if "SW_MNG" in str(device.vpd)
    ] == []


def test_vital_product_data_as_the_bus_defines_it() -> None:
    data = pci.vital_product_data({"name": "Card", "V0": "SW"})
    assert data[:-2] == b"\x82\x04\x00Card\x90\x09\x00V0\x02SWRV\x01"
    assert (sum(data[:-1]) & 0xFF, data[-1]) == (0, 0x78)


def test_a_device_with_vital_product_data_says_so_in_its_configuration_space() -> None:
    port, adapter = (next(one for one in devices(name) if one.device == 0x1021) for name in ("hgx-b200", "hgx-h100"))
    assert pci.config_space(port)[0x60:0x62] == b"\x10\xa0"
    assert pci.config_space(port)[0xA0:0xA2] == b"\x03\x00"
    assert pci.config_space(adapter)[0x60:0x62] == b"\x10\x00"


def test_the_modalias_is_what_the_kernel_would_write() -> None:
    gpu = next(device for device in devices("hgx-h100") if device.device == 0x2330)
    assert gpu.modalias == "pci:v000010DEd00002330sv000010DEsd000016C1bc03sc02i00"


def test_the_newest_kernel_is_booted(tmp_path: Path) -> None:
    for release in ("6.1.0-9-amd64", "6.1.0-50-amd64", "6.1.0-48-amd64"):
        (tmp_path / f"vmlinuz-{release}").touch()
    newest = boot.newest_kernel(tmp_path)
    assert newest is not None
    assert newest.name == "vmlinuz-6.1.0-50-amd64"


def test_a_host_without_a_kernel_keeps_the_real_one(tmp_path: Path) -> None:
    assert boot.newest_kernel(tmp_path) is None


def test_the_version_text_is_read_from_the_kernel_image(tmp_path: Path) -> None:
    image = bytearray(0x1000)
    struct.pack_into("<H", image, 0x20E, 0x400)
    text = b"6.1.0-50-amd64 (builder) #1 SMP Debian 6.1.176-1 (2026-07-02)\0"
    image[0x600 : 0x600 + len(text)] = text
    (tmp_path / "vmlinuz").write_bytes(image)
    assert boot.banner(tmp_path / "vmlinuz") == text[:-1].decode()


@pytest.mark.parametrize("value", [{}, {"gpu-lost": 3}, {"xid": [[79, 0], [94, 1]], "kind": "text"}])
def test_json_is_read_back_as_written(value: dict[str, object]) -> None:
    assert paths.parse_json(paths.dump_json(value)) == value


def test_json_words_are_read() -> None:
    assert paths.parse_json('{"a": null, "b": true, "c": [1.5, false]}') == {"a": None, "b": True, "c": [1.5, False]}
