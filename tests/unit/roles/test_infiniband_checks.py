"""Every check of the role infiniband, seen passing and failing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.check_runs import Answer, outcomes
from tests.verify import test_infiniband as module

OPTIONS: dict[str, Any] = {
    "ports": {"all": {"rate": 400}},
    "pcie": {"15b3:1021": {"max_read_request": 4096}},
    "iommu": "passthrough",
}
DATA: dict[str, Any] = {"infiniband": OPTIONS}
KERNEL = "6.8.0-60-generic"
FIRST, SECOND, GPU = "0000:18:00.0", "0000:3b:00.0", "0000:19:00.0"
INBOX = ("rdma-core", "ibverbs-providers", "ibverbs-utils", "rdmacm-utils", "infiniband-diags", "perftest")
SYSTEM = ["os ID=ubuntu", "os VERSION_ID=24.04", "arch x86_64", f"kernel {KERNEL}"]
PCI = [
    f"pci {FIRST} 0x15b3 0x1021 0x020700",
    f"pci {SECOND} 0x15b3 0x1021 0x020700",
    f"pci {GPU} 0x10de 0x2330 0x030200",
]
PORT = "InfiniBand|4: ACTIVE|5: LinkUp|400 Gb/sec (4X NDR)"
GOOD: dict[str, Any] = {
    "machine": [*SYSTEM, *PCI],
    "packages": [f"installed {name} 50.0-2" for name in INBOX],
    "held": "",
    "kernel": KERNEL,
    "dkms": "",
    "modules": ["ib_core", "ib_umad", "ib_uverbs", "rdma_ucm"],
    "modules at boot": ["ib_umad", "ib_uverbs", "rdma_ucm"],
    "replaced": "",
    "adapters": [FIRST, SECOND],
    "bridges": "",
    "devices": [
        f"device|mlx5_0|{FIRST}|a088:c203:00ab:0001|0",
        f"port|mlx5_0|1|{PORT}",
        f"device|mlx5_1|{SECOND}|a088:c203:00ab:0002|0",
        f"port|mlx5_1|1|{PORT}",
    ],
    "counters": [
        "uptime 7200.5",
        "/sys/class/infiniband/mlx5_0/ports/1/counters/symbol_error:20",
        "/sys/class/infiniband/mlx5_0/ports/1/counters/link_downed:1",
    ],
    "rules": [f"{FIRST} mlx5_0", f"{SECOND} mlx5_1"],
    "memlock": [
        "Id=containerd.service",
        "LoadState=loaded",
        "LimitMEMLOCK=infinity",
        "MainPID=812",
        "",
        "Id=cron.service",
        "LoadState=loaded",
        "LimitMEMLOCK=8388608",
        "MainPID=1",
        "",
        "/proc/1/limits:Max locked memory         8388608              8388608              bytes     ",
        "/proc/812/limits:Max locked memory         unlimited            unlimited            bytes     ",
    ],
    "setpci": "/usr/bin/setpci",
    "acs": ["0000:17:01.0 0000"],
    "control": [f"{FIRST} 15b3:1021 5936", f"{SECOND} 15b3:1021 5936", f"{GPU} 10de:2330 2936"],
    "unit": ["Id=gpufleet-pcie.service", "LoadState=loaded", "ActiveState=active", "UnitFileState=enabled"],
    "arguments": [
        "tool update-grub",
        "entry linux /vmlinuz root=/dev/sda1 iommu=pt",
        'record GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX iommu=pt"',
        "running root=/dev/sda1 iommu=pt",
    ],
    "numa": [f"adapter {FIRST} 0", f"adapter {SECOND} 0", f"gpu {GPU} 0"],
}
DOCA: dict[str, Any] = {
    "infiniband": {"provider": "doca"},
    "stack": {"repositories": {"doca": {"key_fingerprint": "A" * 40}}},
}
WITH_DOCA = {
    "packages": ["installed doca-ofed 3.2.3-019000"],
    "held": ["hold doca-ofed"],
    "dkms": [f"mlnx-ofed-kernel/25.10, {KERNEL}, x86_64: installed"],
    "arguments": "running quiet",
}


def failing(changes: dict[str, Any], data: dict[str, Any] = DATA) -> dict[str, str]:
    return outcomes(module, {**GOOD, **changes}, data, Answer())


def changed(section: str, before: str, after: str) -> dict[str, Any]:
    return {section: "\n".join(GOOD[section]).replace(before, after)}


def test_as_declared() -> None:
    assert failing({}) == {}


def test_as_declared_with_doca() -> None:
    assert failing(WITH_DOCA, DOCA) == {}


@pytest.mark.parametrize(("pci", "data"), [(PCI[2:], DATA), (PCI, {})])
def test_a_host_without_adapters_or_the_key(pci: list[str], data: dict[str, Any]) -> None:
    assert outcomes(module, {**dict.fromkeys(GOOD, ""), "machine": [*SYSTEM, *pci]}, data, Answer()) == {}


@pytest.mark.parametrize(
    ("changes", "check", "message"),
    [
        (
            {"packages": GOOD["packages"][:-1]},
            "packages_are_installed",
            f"network stack: expected {', '.join(INBOX)}, found perftest not installed",
        ),
        (
            {"packages": [*GOOD["packages"], "installed mlnx-ofed-kernel-dkms 25.10"]},
            "no_other_stack_lies_beside_it",
            "network stack: expected no other beside it, found mlnx-ofed-kernel-dkms",
        ),
        (
            {"replaced": ["ib_core", "mlx5_core"]},
            "kernel_runs_the_installed_stack",
            "kernel: expected the installed network stack, found another build of ib_core, mlx5_core; reboot the host",
        ),
        (
            {"modules": ["ib_core", "ib_umad"]},
            "modules_are_loaded",
            "modules of RDMA: expected them loaded, found no ib_uverbs, rdma_ucm",
        ),
        (
            {"modules at boot": ["ib_umad"]},
            "modules_are_loaded_at_boot",
            "modules of RDMA at boot: expected ['ib_umad', 'ib_uverbs', 'rdma_ucm'], found ['ib_umad']",
        ),
        (
            {"devices": GOOD["devices"][:2]},
            "devices_have_their_names",
            f"RDMA devices: expected mlx5_1 at {SECOND}, found none at {SECOND}",
        ),
        (
            {"rules": ""},
            "names_come_back_at_boot",
            f"udev's rules for RDMA devices: expected ['{FIRST} mlx5_0', '{SECOND} mlx5_1'], found []",
        ),
        (
            changed("devices", f"mlx5_1|1|{PORT}", "mlx5_1|1|InfiniBand|1: DOWN|3: Disabled|10 Gb/sec (4X SDR)"),
            "ports_are_as_declared",
            "mlx5_1: expected InfiniBand ACTIVE, 400 Gb/s, 4X, found InfiniBand DOWN, 10 Gb/s, 4X",
        ),
        (
            changed("devices", f"mlx5_0|1|{PORT}", "mlx5_0|1|InfiniBand|4: ACTIVE|5: LinkUp|100 Gb/sec (1X NDR)"),
            "ports_are_as_declared",
            "mlx5_0: expected InfiniBand ACTIVE, 400 Gb/s, 4X, found InfiniBand ACTIVE, 100 Gb/s, 1X",
        ),
        (
            changed("devices", "mlx5_0|1|InfiniBand", "mlx5_0|1|Ethernet"),
            "ports_are_as_declared",
            "mlx5_0: expected InfiniBand ACTIVE, 400 Gb/s, 4X, found Ethernet ACTIVE, 400 Gb/s, 4X",
        ),
        (
            changed("memlock", "LimitMEMLOCK=infinity", "LimitMEMLOCK=65536"),
            "services_may_lock_memory",
            "locked memory of services: expected unlimited, found containerd.service would get 65536",
        ),
        (
            changed("memlock", "unlimited            unlimited", "65536                65536"),
            "services_may_lock_memory",
            "locked memory of services: expected unlimited, found containerd.service (process 812) has 65536",
        ),
        (
            {"acs": ["0000:17:01.0 001d", "0000:3a:01.0 0000"]},
            "acs_is_off_between_gpus_and_adapters",
            "ACS: expected it off on every bridge above GPUs and adapters, found 0000:17:01.0 with 001d",
        ),
        (
            {"setpci": ""},
            "acs_is_off_between_gpus_and_adapters",
            "ACS: expected setpci, which reads it, found none",
        ),
        (
            changed("control", f"{SECOND} 15b3:1021 5936", f"{SECOND} 15b3:1021 2936"),
            "pci_devices_have_their_settings",
            f"{SECOND}: expected 5000:7000, found 2936 (max. read request 512, relaxed ordering on)",
        ),
        (
            {"control": [f"{GPU} 10de:2330 2936"]},
            "pci_devices_have_their_settings",
            "15b3:1021: expected a PCI Express device of this kind, found none",
        ),
        (
            changed("unit", "enabled", "disabled"),
            "pci_express_is_set_up_at_boot",
            "unit gpufleet-pcie: expected active and enabled, found active and disabled",
        ),
        (
            changed("arguments", "running root=/dev/sda1 iommu=pt", "running root=/dev/sda1"),
            "kernel_has_its_arguments",
            "kernel: expected iommu=pt, found no iommu=pt; reboot the host",
        ),
        (
            changed("arguments", "record GRUB_CMDLINE_LINUX", "record #"),
            "boot_loader_has_the_arguments",
            "boot loader: expected ['iommu=pt'] asked for, found []",
        ),
        (
            changed("numa", f"gpu {GPU} 0", f"gpu {GPU} 1"),
            "gpus_have_an_adapter_on_their_numa_node",
            f"NUMA: expected an adapter on each GPU's node, found adapters on 0, {GPU} on node 1",
        ),
    ],
)
def test_a_deviation_is_seen(changes: dict[str, Any], check: str, message: str) -> None:
    assert failing(changes) == {check: message}


def test_names_are_swapped() -> None:
    text = "\n".join(GOOD["devices"])
    swapped = text.replace("mlx5_0", "x").replace("mlx5_1", "mlx5_0").replace("x|", "mlx5_1|")
    assert failing({"devices": swapped}) == {
        "devices_have_their_names": f"RDMA devices: expected mlx5_0 at {FIRST}, mlx5_1 at {SECOND}, "
        f"found mlx5_1 at {FIRST}, mlx5_0 at {SECOND}"
    }


def test_a_port_of_a_device_that_is_not_there() -> None:
    data = {"infiniband": {**OPTIONS, "ports": {"mlx5_9": {}}}}
    assert failing({}, data) == {
        "ports_are_as_declared": "mlx5_9: expected a device of this name, found none",
    }


def test_a_kernel_that_shows_no_device() -> None:
    data = {"infiniband": {**OPTIONS, "ports": {"mlx5_0": {}}}}
    assert failing({"devices": ""}, data) == {
        "devices_have_their_names": "unproven: the kernel shows no RDMA device",
        "ports_are_as_declared": "unproven: the kernel shows no RDMA device",
        "ports_have_few_errors": "unproven: the kernel shows no RDMA device",
    }


@pytest.mark.parametrize(
    ("changes", "check", "message"),
    [
        (
            {"packages": ["installed doca-ofed 3.2.1-044000"]},
            "packages_are_installed",
            "network stack: expected doca-ofed=3.2.3, found doca-ofed 3.2.1-044000",
        ),
        ({"held": ""}, "release_is_held", "network stack: expected its release held, found doca-ofed not held"),
        (
            {"dkms": f"mlnx-ofed-kernel/25.10, {KERNEL}, x86_64: built"},
            "modules_are_built_for_the_running_kernel",
            f"dkms module mlnx-ofed-kernel for kernel {KERNEL}: expected installed, found ['built']",
        ),
    ],
)
def test_a_deviation_of_doca_is_seen(changes: dict[str, Any], check: str, message: str) -> None:
    assert failing({**WITH_DOCA, **changes}, DOCA) == {check: message}


def test_a_stack_that_cannot_be_had() -> None:
    machine = ["os ID=debian", "os VERSION_ID=13", *SYSTEM[2:], *PCI]
    found = failing({"machine": machine}, {"infiniband": {"provider": "doca", "acs": "untouched"}})
    assert found == {
        "stack_fits": "network stack: expected one that fits, found error: rdma_stack: expected inbox, as DOCA-OFED is "
        "made for debian-12, el-8, el-9, ubuntu-22.04, ubuntu-24.04, found doca on debian-13; set provider to inbox "
        "for the distribution's own rdma-core (row ofed 3.2.3; DOCA-Host packages as pinned by Azure/azhpc-images "
        "8e9d055f, versions.json, https://github.com/Azure/azhpc-images)"
    }
