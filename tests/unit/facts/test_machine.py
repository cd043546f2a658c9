"""The one command that reads a machine, run over trees of files that stand for /sys."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from gpufleet.facts.machine import HostMachine, Machine
from gpufleet.stack.machine import Hardware, System

EFI = "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"


def device(address: str, vendor: str, device_id: str, class_code: str, vpd: bytes = b"") -> Mapping[str, bytes]:
    folder = f"sys/bus/pci/devices/{address}"
    numbers = {"vendor": vendor, "device": device_id, "class": class_code}
    files = {f"{folder}/{name}": f"0x{value}\n".encode() for name, value in numbers.items()}
    return files | ({f"{folder}/vpd": vpd} if vpd else {})


def asked(root: Path, *trees: Mapping[str, bytes]) -> HostMachine:
    """Run the command with `root` before every path of the system."""
    for path, content in {name: content for tree in trees for name, content in tree.items()}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    command = Machine().command()
    for top in ("/sys/", "/etc/os-release", "/usr/lib/os-release"):
        command = command.replace(top, f"{root}{top}")
    command = command.replace("uname -m", "echo x86_64").replace("uname -r", "echo 6.8.0-60-generic")
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return Machine().process(done.stdout.splitlines())


def test_a_node_of_the_nvlink5_kind(tmp_path: Path) -> None:
    system = {"etc/os-release": b'ID="rocky"\nVERSION_ID="9.6"\n'}
    gpu = device("0000:18:00.0", "10de", "2901", "030200")
    manager = device("0000:40:00.0", "15b3", "1021", "020700", vpd=b"\x82\x00SMDL\x06SW_MNG\x00\xff")
    adapter = device("0000:50:00.0", "15b3", "1021", "020700", vpd=b"\x82\x00ConnectX-7\x00")
    stranger = device("0000:60:00.0", "8086", "1521", "020000", vpd=b"SW_MNG")
    found = asked(tmp_path, system, gpu, manager, adapter, stranger, {EFI: bytes([6, 0, 0, 0, 1])})
    hardware = Hardware(("2901",), nvlink5=True, rdma_adapters=1, secure_boot=True, kernel="6.8.0-60-generic")
    assert found == HostMachine(System("rocky", "9.6"), hardware)


@pytest.mark.parametrize(
    ("files", "secure_boot"),
    [
        ({EFI: bytes([6, 0, 0, 0, 0])}, False),
        ({"sys/firmware/efi/efivars/other": b"x"}, None),
        ({}, None),
    ],
)
def test_secure_boot(tmp_path: Path, files: Mapping[str, bytes], secure_boot: bool | None) -> None:
    assert asked(tmp_path, files).hardware.secure_boot is secure_boot


def test_the_vendors_os_release_counts_where_the_administrator_has_none(tmp_path: Path) -> None:
    assert asked(tmp_path, {"usr/lib/os-release": b"ID=debian\nVERSION_ID=13\n"}).system == System("debian", "13")
