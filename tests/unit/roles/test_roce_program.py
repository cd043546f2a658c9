"""The program of the role roce, run against a tree that stands for /sys, with tools that print how they are called."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gpufleet.operations.files import render
from roles.roce.options import Roce
from roles.roce.steps import PROGRAM

Run = Callable[..., subprocess.CompletedProcess[str]]
DCB = ["dcb dcbx set dev ens1 host ieee", "dcb pfc set dev ens1 prio-pfc all:off 3:on"]
VENDOR = ["/class/net/ens1/ecn/roce_np/cnp_dscp", "/class/net/ens1/ecn/roce_np/cnp_802p_prio"]
ENABLE = [f"/class/net/ens1/ecn/roce_{node}p/enable/{priority}" for node in "nr" for priority in range(8)]
CLASS, TOS = "/class/infiniband/mlx5_1/tc/2/traffic_class", "/kernel/config/rdma_cm/mlx5_1/ports/2/default_roce_tos"
MODE = "/kernel/config/rdma_cm/mlx5_1/ports/2/default_roce_mode"
DEBUG = [f"/kernel/debug/mlx5/0000:18:00.0/cc_params/{name}" for name in ("np_cnp_dscp", "np_cnp_prio")]


@pytest.fixture
def sys(tmp_path: Path) -> Path:
    """A tree with one interface on port 2 of mlx5_1."""
    root = tmp_path / "sys"
    device = root / "devices/0000:18:00.0"
    (device / "infiniband/mlx5_1").mkdir(parents=True)
    (root / "class/net/ens1").mkdir(parents=True)
    (root / "class/net/ens1/device").symlink_to(device)
    (root / "class/net/ens1/dev_port").write_text("1\n")
    return root


@pytest.fixture
def run(sys: Path, tmp_path: Path) -> Run:
    """Run the program with these tools alone."""

    def running(*tools: str, files: list[str], broken: str = "", **options: Any) -> subprocess.CompletedProcess[str]:
        for file in files:
            (sys / file[1:]).parent.mkdir(parents=True, exist_ok=True)
            (sys / file[1:]).write_text("\n")
        bin = tmp_path / "bin"
        bin.mkdir()
        for tool in (*tools, "ip", "modprobe"):
            (bin / tool).write_text(f'#!/bin/sh\necho "{tool} $*"\n[ "{tool} $1" != "{broken}" ]\n')
            (bin / tool).chmod(0o755)
        for tool in ("cat", "mkdir", "readlink"):
            (bin / tool).symlink_to(f"/bin/{tool}")
        text = render(PROGRAM, qos=Roce.model_validate(options).qos()).replace("/sys/", f"{sys}/")
        (tmp_path / "program").write_text(text)
        command = ["/bin/sh", str(tmp_path / "program"), "ens1"]
        return subprocess.run(command, env={"PATH": str(bin)}, capture_output=True, text=True, check=False)

    return running


def values(sys: Path, files: list[str]) -> list[str]:
    return [(sys / file[1:]).read_text().strip() for file in files]


def test_with_the_vendors_driver(run: Run, sys: Path) -> None:
    result = run("dcb", files=[*VENDOR, *ENABLE, CLASS, TOS, MODE, *DEBUG])
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        "ip link set dev ens1 mtu 9000",
        *DCB,
        "dcb app replace dev ens1 dscp-prio 26:3 48:6",
        "modprobe -q rdma_cm",
    ]
    assert values(sys, [*VENDOR, CLASS, TOS, MODE]) == ["48", "6", "106", "106", "RoCE v2"]
    assert values(sys, ENABLE) == ["0", "0", "0", "1", "0", "0", "0", "0"] * 2
    assert values(sys, DEBUG) == ["", ""]


def test_with_the_kernels_driver(run: Run, sys: Path) -> None:
    result = run("dcb", files=[TOS, MODE, *DEBUG])
    assert (result.returncode, result.stderr) == (0, "")
    assert values(sys, [*DEBUG, TOS, MODE]) == ["48", "6", "106", "RoCE v2"]


def test_with_the_vendors_tool(run: Run) -> None:
    result = run("mlnx_qos", files=[])
    assert (result.returncode, result.stdout.splitlines()) == (
        0,
        [
            "ip link set dev ens1 mtu 9000",
            "mlnx_qos -i ens1 --dcbx=os",
            "mlnx_qos -i ens1 --trust=dscp",
            "mlnx_qos -i ens1 --pfc=0,0,0,1,0,0,0,0",
            "mlnx_qos -i ens1 --dscp2prio=set,26,3",
            "mlnx_qos -i ens1 --dscp2prio=set,48,6",
            "modprobe -q rdma_cm",
        ],
    )


def test_by_tag(run: Run, sys: Path) -> None:
    result = run("dcb", files=ENABLE, trust="pcp", ecn=False, mtu=None, pfc=[3, 4])
    assert result.stdout.splitlines() == [
        DCB[0],
        "dcb pfc set dev ens1 prio-pfc all:off 3:on 4:on",
        "dcb app flush dev ens1 dscp-prio",
        "modprobe -q rdma_cm",
    ]
    assert values(sys, ENABLE) == ["0"] * 16


def test_a_tool_that_fails_is_named_and_the_rest_is_done(run: Run, sys: Path) -> None:
    result = run("dcb", files=[*VENDOR], broken="dcb pfc")
    assert result.returncode == 1
    assert result.stderr == "ens1: dcb pfc set dev ens1 prio-pfc all:off 3:on failed\n"
    assert values(sys, VENDOR) == ["48", "6"]


def test_without_a_tool(run: Run) -> None:
    result = run(files=[])
    assert result.returncode == 1
    assert result.stderr == "ens1: looking for dcb (iproute2) or mlnx_qos (DOCA-OFED) failed\n"
