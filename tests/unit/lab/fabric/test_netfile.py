"""The text that ibsim reads, and plans that it cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpufleet.errors import FaultsFoundError
from gpufleet.lab.fabric import netfile
from tests.unit.lab.fabric.small import PLAN, planned

NET = """\
switchguid=0x2c90300000010
Switch 4 "spine-01"
[1] "leaf-01"[8] w=15 s=7 e=7
[2] "leaf-02"[8] w=3 s=7 e=15

switchguid=0x2c922e03a4890
Switch 8 "leaf-01"
[1] "gpu-01 mlx5_0"[1] w=3 s=7 e=15
[2] "gpu-02 mlx5_0"[1] w=3 s=7 e=0
[8] "spine-01"[1] w=15 s=7 e=7

switchguid=0x2c9a978b85280
Switch 8 "leaf-02"
[1] "gpu-01 mlx5_1"[1] w=3 s=7 e=15
[2] "gpu-02 mlx5_1"[1] w=3 s=7 e=15
[8] "spine-01"[2] w=3 s=7 e=15

caguid=0xa088c20300000010
Hca 1 "gpu-01 mlx5_0"
[1] "leaf-01"[1] w=3 s=7 e=15

caguid=0x2c9d422917be0
Hca 1 "gpu-01 mlx5_1"
[1] "leaf-02"[1] w=3 s=7 e=15

caguid=0x2c96775498990
Hca 1 "gpu-02 mlx5_0"
[1] "leaf-01"[2] w=3 s=7 e=0

caguid=0x2c9d444fa1bb0
Hca 1 "gpu-02 mlx5_1"
[1] "leaf-02"[2] w=3 s=7 e=15
"""


def refusal(folder: Path, text: str) -> list[str]:
    with pytest.raises(FaultsFoundError) as refused:
        netfile.check(planned(folder, text))
    return str(refused.value).splitlines()[1:]


def test_a_plan_becomes_a_net_file(tmp_path: Path) -> None:
    plan = planned(tmp_path)
    netfile.check(plan)
    assert netfile.text(plan) == NET


def test_a_device_without_a_cable_has_a_port_that_is_down(tmp_path: Path) -> None:
    text = PLAN.replace("2: gpu-02 mlx5_1, ", "")
    assert netfile.text(planned(tmp_path, text)).endswith('Hca 1 "gpu-02 mlx5_1"\n')


def test_a_switch_has_as_many_ports_as_its_cables_need(tmp_path: Path) -> None:
    text = (
        PLAN.replace(", ports: 8}", "}").replace("8: spine-01/1", "80: spine-01/1").replace("leaf-01/8", "leaf-01/80")
    )
    plan = planned(tmp_path, text)
    assert [netfile.number_of_ports(plan, name) for name in plan.switches] == [4, 80, 64]


def test_speeds_that_ibsim_has_not(tmp_path: Path) -> None:
    text = PLAN.replace("leaf-01/2: {speed: QDR}", "leaf-01/2: {speed: XDR}\n  leaf-02/1: {speed: FDR10}")
    assert refusal(tmp_path, text) == [
        "  leaf-01/2 - gpu-02 mlx5_0/1: expected a speed that ibsim knows, found XDR; "
        "write one of SDR, DDR, QDR, FDR, EDR, HDR, NDR in the lab's plan",
        "  leaf-02/1 - gpu-01 mlx5_1/1: expected a speed that ibsim knows, found FDR10; "
        "write one of SDR, DDR, QDR, FDR, EDR, HDR, NDR in the lab's plan",
    ]


def test_names_and_ports_that_ibsim_has_not(tmp_path: Path) -> None:
    text = PLAN.replace("gpu-02 mlx5_1,", "gpu-02 mlx5_1/2,").replace("gpu-01", "a-host-with-a-long-name-01")
    names = [
        f'  a-host-with-a-long-name-01 mlx5_{n}: expected at most 31 characters, none of " # @, found 33; '
        "rename the host or the switch in the lab"
        for n in (0, 1)
    ]
    port = "  leaf-02/2 - gpu-02 mlx5_1/2: expected port 1 of a device, found port 2; "
    assert refusal(tmp_path, text) == [*names, f"{port}the lab's adapters have one port each"]


def test_more_than_ibsim_can_be(tmp_path: Path) -> None:
    switches = "".join(f"  s-{n}: {{role: spine, ports: 200}}\n" for n in range(300))
    text = f"speed: NDR\nswitches:\n{switches}hosts:\nlinks:\n"
    assert refusal(tmp_path, text) == [
        "  switches: expected at most 256, which is ibsim's limit, found 300; use a smaller plan",
        "  ports: expected at most 13312, which is ibsim's limit, found 60300; use a smaller plan",
    ]
