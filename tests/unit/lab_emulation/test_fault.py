"""Faults: what tools see while one is on, and after it is cleared."""

from __future__ import annotations

import pytest

from tests.unit.lab_emulation.host import Host

ADDRESS = "0000:61:00.0"


def faults(host: Host) -> str:
    return (host.root / "etc/gpufleet-lab/faults.json").read_text().strip()


def inject(host: Host, *arguments: str) -> None:
    run = host.run("fault", *arguments)
    assert (run.returncode, run.stderr) == (0, "")


def test_a_lost_gpu_is_off_the_bus_until_cleared(with_driver: Host) -> None:
    config = with_driver.root / f"sys/bus/pci/devices/{ADDRESS}/config"
    healthy = config.read_bytes()
    inject(with_driver, "gpu-lost", "3")
    run = with_driver.run("nvidia-smi", "-L")
    assert run.returncode == 255
    assert run.stdout.splitlines()[3] == "Unable to determine the device handle for GPU0000:61:00.0: Unknown Error"
    assert config.read_bytes() == b"\xff" * 256
    xid = "NVRM: Xid (PCI:0000:61:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus."
    assert xid in with_driver.log()
    assert faults(with_driver) == '{"gpu-lost": 3}'
    inject(with_driver, "gpu-lost", "--clear")
    assert with_driver.run("nvidia-smi", "-L").returncode == 0
    assert config.read_bytes() == healthy
    assert faults(with_driver) == "{}"


def test_losing_a_gpu_twice_says_it_once(with_driver: Host) -> None:
    inject(with_driver, "gpu-lost", "3")
    inject(with_driver, "gpu-lost", "3")
    assert len([line for line in with_driver.log() if "Xid" in line]) == 1


@pytest.mark.parametrize(
    ("kind", "query", "broken"),
    [
        ("ecc-uncorrectable", "--query-gpu=index,ecc.errors.uncorrected.volatile.total", "2, 1"),
        ("remap-pending", "--query-remapped-rows=gpu_bus_id,remapped_rows.pending", "00000000:52:00.0, 1"),
    ],
)
def test_memory_faults_show_on_one_gpu(with_driver: Host, kind: str, query: str, broken: str) -> None:
    def lines() -> list[str]:
        return with_driver.run("nvidia-smi", query, "--format=csv,noheader").stdout.splitlines()

    inject(with_driver, kind, "2")
    assert [line for line in lines() if not line.endswith(", 0")] == [broken]
    inject(with_driver, kind, "--clear")
    assert [line for line in lines() if not line.endswith(", 0")] == []


def test_xid_lines_come_and_go(with_driver: Host) -> None:
    inject(with_driver, "xid", "94")
    expected = "NVRM: Xid (PCI:0000:1b:00): 94, pid=4711, name=train-job, Contained: SM (0x1). RST: No, D-RST: No"
    assert with_driver.log()[-1] == expected
    assert faults(with_driver) == '{"xid": [[94, 0]]}'
    inject(with_driver, "xid", "--clear")
    assert [line for line in with_driver.log() if "Xid" in line] == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["gpu-lost", "8"], "fault: gpu-lost: expected the index of one of 8 GPUs, found 8\n"),
        (["gpu-lost", "one"], "fault: gpu-lost: expected a whole number, found 'one'\n"),
        (
            ["gpu-lots"],
            "fault: expected one of gpu-lost, xid, ecc-uncorrectable, remap-pending, module-in-use, secure-boot, "
            "mok-unattended, found gpu-lots\n",
        ),
        (
            ["module-in-use"],
            "fault: module-in-use: no NVIDIA module is loaded, so nothing can hold it; "
            "load it first with `modprobe nvidia`\n",
        ),
    ],
)
def test_a_wrong_request_changes_nothing(host: Host, arguments: list[str], message: str) -> None:
    run = host.run("fault", *arguments)
    assert (run.returncode, run.stderr) == (2, message)
    assert not (host.root / "etc/gpufleet-lab/faults.json").exists()
