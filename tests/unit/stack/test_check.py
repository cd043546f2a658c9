"""What `gpufleet stack check` refuses and warns about: the whole sentence of each."""

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import Any

import pytest

from gpufleet.stack.check import check
from gpufleet.stack.machine import Hardware, System
from gpufleet.stack.rules import RULES
from gpufleet.stack.wish import Wish
from tests.unit.stack.wishes import B200, DEBIAN_13, EL_10, GB200, H100, HGX, MATRIX, UBUNTU, V100

TODAY = datetime.date(2026, 1, 15)
RTX_4090 = "2684"
SOURCES = {row.row: row.source for row in MATRIX.rows} | {rule.row: rule.source for rule in RULES}

REPOSITORIES = ", ".join(sorted(f"{row.system} {row.arch}" for row in MATRIX.repositories if row.name == "cuda"))
KERNELS = MATRIX.kernels_for("580.105.08", "ubuntu-24.04")[-1]

#: Case: machine, system, wish, and the sentences without the source, which the row has.
Case = tuple[Hardware, System, dict[str, Any], list[str]]

REFUSED: dict[str, Case] = {
    "CUDA 13.0 on driver 570": (
        HGX,
        UBUNTU,
        {"driver": "570.195.03", "cuda": ("13.0",)},
        [
            "error: cuda: expected driver branch 580 or newer for CUDA 13.0, found driver 570.195.03; choose "
            "driver 580, an older toolkit, or set cuda_compat for cuda-compat-13-0 (data-center GPUs only) (row "
            "cuda 13.0"
        ],
    ),
    "proprietary modules on B200": (
        Hardware(gpus=(B200,) * 8, nvlink5=True),
        UBUNTU,
        {"driver": "580", "flavor": "proprietary"},
        [
            "error: flavor: expected open kernel modules for GPU 10de:2901 (Blackwell), which can run no others, "
            "found proprietary; set flavor to open or auto (row generation blackwell"
        ],
    ),
    "driver 590 on V100": (
        Hardware(gpus=(V100,) * 8),
        UBUNTU,
        {"driver": "590"},
        [
            "error: driver: expected branch 580 or older for GPU 10de:1db6 (Volta), found branch 590; choose such "
            "a branch (row generation volta"
        ],
    ),
    "B200 on a branch before it": (
        Hardware(gpus=(B200,) * 8, nvlink5=True),
        UBUNTU,
        {"driver": "550.163.01"},
        [
            "error: driver: expected branch 570 or newer for GPU 10de:2901 (Blackwell), found branch 550; choose "
            "such a branch (row generation blackwell"
        ],
    ),
    "fabric manager pinned apart": (
        HGX,
        UBUNTU,
        {"driver": "580.105.08", "fabric_manager": "580.95.05"},
        [
            "error: fabric_manager: expected fabric manager 580.105.08, the driver's version to the last digit, "
            "found 580.95.05; set fabric_manager to auto (row rule one version for driver and companions"
        ],
    ),
    "two CUDA majors with NCCL for a third": (
        HGX,
        UBUNTU,
        {"driver": "580", "cuda": ("12.9", "13.0"), "nccl": "2.28.3", "nccl_cuda": "11.8"},
        [
            "error: nccl_cuda: expected NCCL 2.28.3 built for the CUDA major of a toolkit in the wish: 12.9, 13.0, "
            "found built for CUDA 11.8; leave nccl_cuda out, or name the version of one of these toolkits (row "
            "rule NCCL follows the toolkits"
        ],
    ),
    "DCGM of the wrong major": (
        HGX,
        UBUNTU,
        {"driver": "580.105.08", "dcgm": "4.4.1-cuda12"},
        [
            "error: dcgm: expected DCGM for cuda13, as driver 580.105.08 brings CUDA 13.0, found cuda12; set dcgm "
            "to auto or to a version alone (row branch 580"
        ],
    ),
    "DCGM that has no packages for the driver": (
        HGX,
        UBUNTU,
        {"driver": "580.105.08", "dcgm": "3.3.6"},
        [
            "error: dcgm: expected a DCGM with packages for CUDA 13, the driver's major, found DCGM 3.3.6, which "
            "has them for 10, 11, 12; set dcgm to auto (row dcgm 3.3.6"
        ],
    ),
    "containerd too old for kubelet": (
        HGX,
        UBUNTU,
        {"driver": "580", "containerd": "1.7.27", "kubelet": "v1.36.1"},
        [
            "error: containerd: expected containerd 2.2.0 or newer for kubelet 1.36.1, found containerd 1.7.27; "
            "choose a newer containerd (row kubernetes 1.36"
        ],
    ),
    "containerd older than its own series has for kubelet": (
        HGX,
        UBUNTU,
        {"driver": "580", "containerd": "2.1.0", "kubelet": "1.35.1"},
        [
            "error: containerd: expected containerd 2.1.5 or newer for kubelet 1.35.1, found containerd 2.1.0; choose "
            "a newer containerd (row kubernetes 1.35"
        ],
    ),
    "kubelet that this containerd is not made for": (
        HGX,
        UBUNTU,
        {"driver": "580", "containerd": "2.2.1", "kubelet": "1.31.4"},
        [
            "error: containerd: expected Kubernetes 1.35, 1.36, 1.37 beside containerd 2.2, found kubelet 1.31.4; "
            "choose a containerd of another series, or another kubelet (row containerd 2.2",
            "warning: kubelet: expected a kubelet that is supported, found Kubernetes 1.31.4, whose support ended "
            "on 2025-10-28; choose a newer one (row kubernetes 1.31",
        ],
    ),
    "kubelet newer than the API server": (
        HGX,
        UBUNTU,
        {"driver": "580", "kubelet": "1.35.0", "kube_apiserver": "1.34.2"},
        [
            "error: kubelet: expected a kubelet no newer than the API server's 1.34.2, found kubelet 1.35.0; "
            "upgrade the control plane first (row kubernetes 1.34"
        ],
    ),
    "kubelet too old for the API server": (
        HGX,
        UBUNTU,
        {"driver": "580", "kubelet": "1.32.1", "kube_apiserver": "1.36.0"},
        [
            "error: kubelet: expected kubelet 1.33 or newer for API server 1.36.0, found kubelet 1.32.1; upgrade "
            "the kubelet, one minor version after the other (row kubernetes 1.36"
        ],
    ),
    "container toolkit without its containerd": (
        HGX,
        UBUNTU,
        {"driver": "580", "toolkit": "1.19.1", "containerd": "1.6.36"},
        [
            "error: toolkit: expected containerd 1.7 or newer for container toolkit 1.19.1, found containerd "
            "1.6.36; choose a newer containerd or an older container toolkit (row toolkit 1.19.1",
            "warning: containerd: expected a containerd that is supported, found series 1.6, whose support ended "
            "on 2025-08-23; choose a newer one (row containerd 1.6",
        ],
    ),
    "OFED on a system without one": (
        HGX,
        DEBIAN_13,
        {"driver": "580", "ofed": "3.2.1"},
        [
            "error: ofed: expected a release made for debian-13: inbox, found doca 3.2.1; set ofed to inbox for "
            "the distribution's own rdma-core (row ofed 3.2.1"
        ],
    ),
    "proprietary modules after their end": (
        HGX,
        UBUNTU,
        {"driver": "615", "flavor": "proprietary"},
        [
            "error: flavor: expected open kernel modules, as branch 615 has no others, found proprietary; set "
            "flavor to auto, or choose another branch (row branch 615"
        ],
    ),
    "a branch that nobody knows": (
        HGX,
        UBUNTU,
        {"driver": "999"},
        [
            "error: driver: expected a version of a branch that the matrix knows: "
            f"{', '.join(str(row.branch) for row in MATRIX.branches)}, found 999; choose one of them, or add rows of "
            "your own beside the inventory (row rule versions"
        ],
    ),
    "a branch of the distribution's packages": (
        HGX,
        DEBIAN_13,
        {"driver": "550", "source": "distribution"},
        [
            "error: driver: expected an exact version of the distribution's packages, as its archive decides which "
            f"ones it carries, found branch 550; name it, such as {MATRIX.releases_of(550)[-1].version}, or set "
            "source to nvidia (row branch 550"
        ],
    ),
    "a version that Ubuntu's archive has in name alone": (
        replace(HGX, nvswitches=0),
        UBUNTU,
        {"driver": "570.211.01", "source": "distribution"},
        [
            "error: driver: expected a version of branch 570 before 570.211.01, from which on the packages of "
            "ubuntu-24.04 are empty and bring another branch, found 570.211.01; choose the branch that they bring, or "
            "set source to nvidia (row scheme "
            "ubuntu-22.04,ubuntu-24.04 distribution 535-595 open compute dkms"
        ],
    ),
    "no version at all": (
        HGX,
        UBUNTU,
        {"driver": "newest"},
        [
            "error: driver: expected a branch such as 580 or a version such as 580.95.05, found 'newest'; write it "
            "like that (row rule versions"
        ],
    ),
    "GPUs of which no driver runs both": (
        Hardware(gpus=(V100, B200)),
        UBUNTU,
        {"driver": "580"},
        [
            "error: flavor: expected GPUs that one driver can run, found Blackwell (open modules only) beside "
            "Volta (proprietary modules only); take one of them out of the host (row rule one driver for all GPUs"
        ],
    ),
    "fabric manager on a compute tray": (
        Hardware(gpus=(GB200,) * 4, nvlink5=True),
        System("ubuntu", "24.04", "aarch64"),
        {"driver": "580", "fabric_manager": "on"},
        [
            "error: fabric_manager: expected none on a compute tray of GB200 or GB300, whose switch trays run it, "
            "found on; set fabric_manager to auto or off (row rule compute trays"
        ],
    ),
    "fabric manager that nobody packages": (
        HGX,
        DEBIAN_13,
        {"driver": "550.163.01", "source": "distribution"},
        [
            "error: fabric_manager: expected a branch that NVIDIA's repository for debian-13 has, fabric manager "
            "included, found branch 550 on x86_64; choose such a branch, or set fabric_manager to off "
            "(row rule packages of fabric manager"
        ],
    ),
    "a kernel older than the modules need": (
        replace(HGX, kernel="3.9.1"),
        UBUNTU,
        {"driver": "580.105.08"},
        [
            f"error: kernel: expected kernel {KERNELS.oldest} or newer, for driver 580.105.08, found 3.9.1; choose a "
            f"newer driver, or boot another kernel (row {KERNELS.row}"
        ],
    ),
    "a system that NVIDIA has no repository for": (
        Hardware(gpus=(H100,)),
        System("debian", "12", "aarch64"),
        {"driver": "580.105.08"},
        [
            f"error: system: expected a system that NVIDIA has a repository for, as driver 580.105.08 comes from "
            f"there: {REPOSITORIES}, found debian-12 aarch64; install one of them, or add the repository's row beside "
            "the inventory (row rule repositories of NVIDIA"
        ],
    ),
    "NCCL on a system that nobody knows": (
        Hardware(gpus=(H100,)),
        System("amzn", "2023"),
        {"nccl": "auto"},
        [
            f"error: system: expected a system that NVIDIA has a repository for, as libnccl2 comes from there: "
            f"{REPOSITORIES}, found amzn-2023 x86_64; install one of them, or add the repository's row beside the "
            "inventory (row rule repositories of NVIDIA"
        ],
    ),
    "a branch that no source has for the system": (
        Hardware(gpus=(H100,)),
        EL_10,
        {"driver": "570.195.03"},
        [
            "error: driver: expected packages that nvidia makes for el-10 on x86_64: 580- open compute; 580- open "
            "full; 580-614 proprietary compute; 580-614 proprietary full, found branch 570, open, compute; choose one "
            "of them (row rule packages of the driver"
        ],
    ),
    "a branch that the other source has": (
        Hardware(gpus=(H100,)),
        DEBIAN_13,
        {"driver": "550.163.01"},
        [
            "error: driver: expected packages that nvidia makes for debian-13 on x86_64: 580- open compute; 580- open "
            "full; 580-614 proprietary compute; 580-614 proprietary full, found branch 550, proprietary, compute; "
            "choose one of them, or set source to distribution (row rule packages of the driver"
        ],
    ),
    "a processor that nobody packages for": (
        Hardware(gpus=(H100,)),
        System("ubuntu", "24.04", "ppc64le"),
        {"driver": "580.105.08"},
        [
            "error: driver: expected packages that nvidia makes for ubuntu-24.04 on ppc64le: none from nvidia, found "
            "branch 580, open, compute; choose another system (row rule packages of the driver"
        ],
    ),
    "a toolkit and its update": (
        HGX,
        UBUNTU,
        {"driver": "580", "cuda": ("12.9", "12.9.1")},
        [
            "error: cuda: expected each toolkit once, as an update takes its place, found 12.9 and 12.9.1; take one of "
            "them out (row cuda 12.9"
        ],
    ),
    "cuda-compat that NVIDIA does not build for the system": (
        HGX,
        DEBIAN_13,
        {"driver": "535.261.03", "source": "distribution", "fabric_manager": None, "cuda": ("12.4",)}
        | {"cuda_compat": True},
        [
            "error: cuda_compat: expected a system that NVIDIA builds cuda-compat-12-4 for: ubuntu-22.04, debian-12, "
            "el-8, el-9, found debian-13 on x86_64; choose driver 550.54.14 or newer, or leave cuda_compat out (row "
            "cuda 12.4",
            "warning: fabric_manager: expected fabric manager, without which CUDA programs end with error 802 (system "
            "not yet initialized), found no wish for it in spite of 4 NVSwitches on the PCI bus; set fabric_manager to "
            "auto (row rule fabric manager follows NVSwitches",
        ],
    ),
    "NCCL for a CUDA version without a build": (
        HGX,
        UBUNTU,
        {"driver": "580", "nccl": "2.28.3", "nccl_cuda": "12.1"},
        [
            "error: nccl: expected a build for CUDA 12.1 among those that the matrix knows: 2.28.3+cuda12.9, "
            "2.28.3+cuda13.0, found NCCL 2.28.3; name one of them, or leave nccl_cuda out (row rule builds of NCCL"
        ],
    ),
    "GPUDirect without a driver": (
        HGX,
        UBUNTU,
        {"rdma": "auto"},
        [
            "error: rdma: expected a driver in the wish, whose modules tell how adapters reach GPU memory, found none; "
            "name the driver, or set rdma to off (row rule companions need a driver"
        ],
    ),
    "GDRCopy of an unknown release": (
        HGX,
        UBUNTU,
        {"driver": "580", "gdrcopy": "1.0"},
        [
            "error: gdrcopy: expected auto or a release that the matrix knows: "
            f"{', '.join(row.version for row in MATRIX.gdrcopy)}, found '1.0'; choose one of them, or add a row of "
            "your own beside the inventory (row rule versions"
        ],
    ),
    "NCCL for a newer driver": (
        HGX,
        UBUNTU,
        {"driver": "570.195.03", "nccl": "2.28.3", "nccl_cuda": "13"},
        [
            "error: nccl: expected driver branch 580 or newer for NCCL 2.28.3+cuda13.0, found branch 570; choose such "
            "a driver, or NCCL for an older CUDA major (row nccl 2.28.3 13.0"
        ],
    ),
    "IMEX before its first branch": (
        Hardware(gpus=(H100,)),
        UBUNTU,
        {"driver": "535.261.03", "imex": "on"},
        [
            "error: imex: expected a branch that NVIDIA's repository for ubuntu-24.04 has, IMEX included, found "
            "branch 535 on x86_64; choose such a branch, or set imex to off (row rule packages of IMEX",
            "warning: imex: expected a compute tray of GB200 or GB300, as IMEX serves multi-node NVLink only, found on "
            "on other hardware; set imex to auto (row rule IMEX follows multi-node NVLink",
        ],
    ),
    "peermem on EFA": (
        replace(HGX, platform="aws-p5"),
        UBUNTU,
        {"driver": "580", "rdma": "peermem"},
        [
            "error: rdma: expected DMA-BUF on aws-p5, whose EFA adapters know no peer memory, found peermem; set "
            "rdma to auto (row rule EFA"
        ],
    ),
    "DMA-BUF with proprietary modules": (
        HGX,
        UBUNTU,
        {"driver": "580", "flavor": "proprietary", "rdma": "dma-buf"},
        [
            "error: rdma: expected open kernel modules on a kernel from 5.12 on for DMA-BUF, found proprietary "
            "kernel modules; choose the open flavor, or set rdma to auto (row rule DMA-BUF"
        ],
    ),
    "cuda-compat on a GPU for desktops": (
        Hardware(gpus=(RTX_4090,)),
        UBUNTU,
        {"driver": "570.195.03", "cuda": ("13.0",), "cuda_compat": True},
        [
            "error: cuda_compat: expected data-center GPUs, the only ones that cuda-compat-13-0 works with, found "
            "10de:2684; choose driver 580.65.06 or newer, or an older toolkit (row rule cuda-compat"
        ],
    ),
    "CUDA 13 for Volta": (
        Hardware(gpus=(V100,)),
        UBUNTU,
        {"driver": "580", "cuda": ("13.0",)},
        [
            "error: cuda: expected CUDA 12 or older for GPU 10de:1db6 (Volta), found 13.0; choose an older toolkit "
            "for this host (row generation volta"
        ],
    ),
    "a default that is not among the toolkits": (
        HGX,
        UBUNTU,
        {"driver": "580", "cuda": ("12.9",), "cuda_default": "13.0"},
        [
            "error: cuda_default: expected one of the toolkits wished for: 12.9, found '13.0'; add it to cuda, or "
            "choose another default (row rule default toolkit"
        ],
    ),
    "companions without a driver": (
        HGX,
        UBUNTU,
        {"fabric_manager": "auto", "dcgm": "auto"},
        [
            "error: fabric_manager: expected a driver in the wish, whose version fabric manager takes, found none; "
            "name the driver, or set fabric_manager to off (row rule companions need a driver",
            "error: dcgm: expected a driver in the wish, whose CUDA major tells DCGM's packages, found none; name "
            "the driver, or leave dcgm out (row rule companions need a driver",
        ],
    ),
    "a system that nobody packages for": (
        HGX,
        System("fedora", "42"),
        {"driver": "580"},
        [
            "error: system: expected a system that the matrix has packages for: "
            f"{', '.join(sorted({name for row in MATRIX.schemes for name in row.systems}))}, found fedora-42; install "
            "one of them, or add rows of your own beside the inventory (row rule known systems"
        ],
    ),
}

REMARKS: dict[str, Case] = {
    "minor-version compatibility": (
        HGX,
        UBUNTU,
        {"driver": "570.195.03", "cuda": ("12.9",)},
        [
            "warning: cuda: expected driver 575.51.03 or newer for all of CUDA 12.9, found driver 570.195.03, on "
            "which programs that carry PTX alone fail with error 222, new API entry points with error 36; choose a "
            "newer driver, or set cuda_compat for cuda-compat-12-9 (data-center GPUs only) (row cuda 12.9"
        ],
    ),
    "switches that nobody manages": (
        HGX,
        UBUNTU,
        {"driver": "580", "fabric_manager": "off"},
        [
            "warning: fabric_manager: expected fabric manager, without which CUDA programs end with error 802 "
            "(system not yet initialized), found off in spite of 4 NVSwitches on the PCI bus; set fabric_manager "
            "to auto (row rule fabric manager follows NVSwitches"
        ],
    ),
    "an unknown GPU": (
        Hardware(gpus=("0fff",)),
        UBUNTU,
        {"driver": "580"},
        [
            "note: driver: expected GPUs whose generation the matrix knows, found 10de:0fff; see that branch 580 "
            "drives it, and set flavor if the open modules do not (row rule unknown GPU"
        ],
    ),
    "an unknown release of a known branch": (
        Hardware(gpus=(H100,)),
        UBUNTU,
        {"driver": "580.10.01"},
        [
            "note: driver: expected a release of branch 580 that the matrix knows, the newest being "
            f"{MATRIX.releases_of(580)[-1].version}, found 580.10.01; nothing need be done if the package repository "
            "has it; a row of your own says so (row branch 580"
        ],
    ),
    "no GPU": (
        Hardware(),
        UBUNTU,
        {"driver": "580", "fabric_manager": "on", "dcgm": "auto", "gdrcopy": "auto", "imex": "on"},
        [
            "note: driver: expected an NVIDIA GPU on the PCI bus, found none; nothing is installed of driver 580 "
            "and what goes with it (row rule no GPU"
        ],
    ),
    "cuda-compat that nothing asks for": (
        Hardware(gpus=(H100,)),
        UBUNTU,
        {"driver": "580.105.08", "cuda": ("12.9",), "cuda_compat": True},
        [
            "note: cuda_compat: expected a driver older than the toolkit, found driver 580.105.08, which runs CUDA "
            "12.9 in full; cuda-compat-12-9 is left out, as it would put an older library before the driver's own "
            "(row cuda 12.9"
        ],
    ),
    "a release that is written otherwise than its row": (
        HGX,
        UBUNTU,
        {"driver": "580.95.5"},
        [
            "note: driver: expected a release of branch 580 that the matrix knows, the newest being "
            f"{MATRIX.releases_of(580)[-1].version}, found 580.95.5; nothing need be done if the package repository "
            "has it; a row of your own says so (row branch 580"
        ],
    ),
    "an API server that nobody knows": (
        HGX,
        UBUNTU,
        {"driver": "580", "kubelet": "1.36.1", "kube_apiserver": "1.50.1"},
        [
            "note: kube_apiserver: expected a minor version that the matrix knows: "
            f"{', '.join(row.version for row in MATRIX.kubernetes)}, found 1.50.1; see that the projects support it, "
            "or add a row of your own beside the inventory (row rule versions"
        ],
    ),
    "peermem without its InfiniBand stack": (
        HGX,
        DEBIAN_13,
        {"driver": "580", "flavor": "proprietary", "rdma": "auto"},
        [
            "warning: rdma: expected an ib_core with peer memory, which DOCA-OFED and Ubuntu's kernels bring, "
            "found no OFED on debian-13; install an OFED first and name it under ofed, or choose the open flavor "
            "for DMA-BUF (row rule peermem"
        ],
    ),
}


@pytest.mark.parametrize(("machine", "system", "wish", "expected"), (REFUSED | REMARKS).values(), ids=REFUSED | REMARKS)
def test_what_is_said(machine: Hardware, system: System, wish: dict[str, Any], expected: list[str]) -> None:
    wish = {"source": "nvidia", "fabric_manager": "auto" if wish.get("driver") else None, **wish}
    found = [str(verdict) for verdict in check(machine, system, Wish.model_validate(wish), MATRIX, TODAY, False)]
    assert [text for text in found if "ended on 2025-02-28" not in text] == [_with_source(text) for text in expected]


def test_everything_at_once() -> None:
    wish = Wish.model_validate(
        {"driver": "590", "cuda": ["13.9"], "dcgm": "x", "ofed": "y", "kubelet": "z", "nccl": "n", "gdrcopy": "g"}
        | {"source": "nvidia"}
    )
    verdicts = check(Hardware(gpus=(V100,)), UBUNTU, wish, MATRIX, TODAY, False)
    places = ["driver", "ofed", "kubelet", "gdrcopy", "dcgm", "cuda", "nccl"]
    assert [(verdict.level, verdict.where) for verdict in verdicts] == [("error", place) for place in places]


@pytest.mark.parametrize(("strict", "level"), [(False, "warning"), (True, "error")])
def test_a_branch_after_its_end_of_life(strict: bool, level: str) -> None:
    row = MATRIX.branch(535)
    assert row is not None
    assert row.end_of_life is not None
    wish = Wish.model_validate({"driver": "535.261.03", "source": "nvidia"})
    after = row.end_of_life + datetime.timedelta(days=1)
    living = [one for one in MATRIX.branches if one.end_of_life and one.end_of_life >= after]
    named = ", ".join(f"{one.branch} (until {one.end_of_life})" for one in living)
    (verdict,) = check(Hardware(gpus=(H100,)), UBUNTU, wish, MATRIX, after, strict)
    assert str(verdict) == _with_source(
        f"{level}: driver: expected a driver that is supported, found branch 535, whose support ended on "
        f"{row.end_of_life}; choose a supported branch: {named} (row branch 535"
    )
    assert check(Hardware(gpus=(H100,)), UBUNTU, wish, MATRIX, row.end_of_life, strict) == ()


def _with_source(sentence: str) -> str:
    return f"{sentence}; {SOURCES[sentence.rpartition('(row ')[2]]})"
