"""nvidia-smi: NVIDIA's texts and exit statuses for each state of the driver."""

from __future__ import annotations

import os
import signal
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.unit.lab_emulation.host import Host

NOT_RUNNING = (
    "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. "
    "Make sure that the latest NVIDIA driver is installed and running.\n\n"
)


def query(host: Host, *arguments: str) -> list[str]:
    run = host.run("nvidia-smi", *arguments)
    assert run.returncode == 0, run.stdout
    return run.stdout.splitlines()


def test_without_the_module_it_cannot_communicate(with_driver: Host) -> None:
    assert with_driver.unload("nvidia") == 0
    run = with_driver.run("nvidia-smi")
    assert (run.returncode, run.stdout) == (9, NOT_RUNNING)


def test_without_the_library_it_cannot_start(with_driver: Host) -> None:
    (with_driver.root / "usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1").unlink()
    run = with_driver.run("nvidia-smi")
    assert run.returncode == 12
    assert run.stdout.startswith("NVIDIA-SMI couldn't find libnvidia-ml.so library in your system.")


def test_another_library_than_the_module_is_a_mismatch(host: Host) -> None:
    host.install_driver(library="535.261.03")
    run = host.run("nvidia-smi", "-L")
    expected = "Failed to initialize NVML: Driver/library version mismatch\nNVML library version: 535.261\n"
    assert (run.returncode, run.stdout) == (18, expected)


def test_the_list_names_every_gpu_by_its_own_uuid(with_driver: Host) -> None:
    lines = query(with_driver, "-L")
    assert lines[0].startswith("GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-")
    assert len(set(lines)) == len(lines) == 8


def test_uuids_outlive_a_change_of_the_host_name(with_driver: Host) -> None:
    before = query(with_driver, "-L")
    (with_driver.root / "etc/hostname").write_text("renamed\n")
    assert query(with_driver, "-L") == before


def test_a_query_gives_values_with_units(with_driver: Host) -> None:
    fields = "index,name,pci.bus_id,driver_version,memory.total,clocks_event_reasons.active"
    lines = query(with_driver, f"--query-gpu={fields}", "--format=csv", "-i", "7")
    assert lines == [
        "index, name, pci.bus_id, driver_version, memory.total [MiB], clocks_event_reasons.active",
        "7, NVIDIA H100 80GB HBM3, 00000000:DF:00.0, 535.216.03, 81559 MiB, 0x0000000000000001",
    ]


def test_a_query_without_header_and_units(with_driver: Host) -> None:
    lines = query(with_driver, "--query-gpu=index,memory.total", "--format=csv,noheader,nounits", "-i", "0,1")
    assert lines == ["0, 81559", "1, 81559"]


def test_an_unknown_field_is_refused(with_driver: Host) -> None:
    run = with_driver.run("nvidia-smi", "--query-gpu=index,colour", "--format=csv")
    assert (run.returncode, run.stdout) == (2, 'Field "colour" is not a valid field to query.\n\n')


def test_an_unknown_gpu_is_not_found(with_driver: Host) -> None:
    run = with_driver.run("nvidia-smi", "-i", "9", "-L")
    assert (run.returncode, run.stdout) == (6, "No devices were found\n")


def test_the_xml_log_agrees_with_the_query(with_driver: Host) -> None:
    log = ET.fromstring(with_driver.run("nvidia-smi", "-q", "-x").stdout)
    assert log.findtext("driver_version") == "535.216.03"
    assert [gpu.get("id") for gpu in log.iter("gpu")] == query(
        with_driver, "--query-gpu=pci.bus_id", "--format=csv,noheader"
    )
    assert log.findtext("gpu/ecc_errors/volatile/dram_uncorrectable") == "0"


@pytest.mark.parametrize("arguments", [[], ["-q"], ["-q", "-i", "3"]])
def test_long_answers_name_the_driver(with_driver: Host, arguments: list[str]) -> None:
    assert "535.216.03" in with_driver.run("nvidia-smi", *arguments).stdout


def test_persistence_mode_is_set_and_told(with_driver: Host) -> None:
    assert query(with_driver, "-pm", "1", "-i", "0") == [
        "Enabled persistence mode for GPU 00000000:1B:00.0.",
        "All done.",
    ]
    assert query(with_driver, "--query-gpu=persistence_mode", "--format=csv,noheader", "-i", "0") == ["Enabled"]


def test_the_daemon_keeps_persistence_mode_while_it_lives(with_driver: Host) -> None:
    run = with_driver.run("nvidia-persistenced", "--persistence-mode")
    assert (run.returncode, run.stderr) == (0, "")
    pid = int((with_driver.root / "run/nvidia-persistenced/nvidia-persistenced.pid").read_text())
    process = with_driver.root / "proc" / str(pid)
    process.mkdir()
    held = sorted(Path(os.readlink(entry)).name for entry in Path(f"/proc/{pid}/fd").iterdir())  # noqa: PTH115 - or no path
    try:
        assert query(with_driver, "--query-gpu=persistence_mode", "--format=csv,noheader", "-i", "0") == ["Enabled"]
        assert [name for name in held if name.startswith("nvidia")] == [
            *(f"nvidia{index}" for index in range(8)),
            "nvidiactl",
        ]
    finally:
        os.kill(pid, signal.SIGTERM)
    process.rmdir()
    assert query(with_driver, "--query-gpu=persistence_mode", "--format=csv,noheader", "-i", "0") == ["Disabled"]


def test_the_library_may_lie_where_enterprise_linux_keeps_it(with_driver: Host) -> None:
    usr = with_driver.root / "usr"
    (usr / "lib/x86_64-linux-gnu").rename(usr / "lib64")
    run = with_driver.run("nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader", "-i", "0")
    assert (run.returncode, run.stdout) == (0, "535.216.03\n")
