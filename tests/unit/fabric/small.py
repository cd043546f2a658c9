"""The small fabric whose real texts, of infiniband-diags 44.0 on ibsim, lie in cases/."""

from __future__ import annotations

from pathlib import Path

from gpufleet.fabric import plan
from gpufleet.fabric.discovered import Discovered, parse
from gpufleet.fabric.plan import Plan

CASES = Path(__file__).with_name("cases")

PLAN = """
speed: SDR
switches:
  spine-01: {role: spine}
  leaf-01: {role: leaf, rail: 1}
  leaf-02: {role: leaf, rail: 2}
hosts:
  gpu-01: {mlx5_0: {rail: 1}, mlx5_1: {rail: 2}}
  gpu-02: {mlx5_0: {rail: 1}, mlx5_1: {rail: 2}}
links:
  leaf-01: {1: gpu-01 mlx5_0, 2: gpu-02 mlx5_0, 7: spine-01/1}
  leaf-02: {1: gpu-01 mlx5_1, 2: gpu-02 mlx5_1, 7: spine-01/2}
"""


def case(name: str) -> str:
    return (CASES / f"{name}.txt").read_text()


def found(text: str | None = None) -> Discovered:
    return parse((text or case("ibnetdiscover")).splitlines(), "net.txt")


def planned(folder: Path, text: str = PLAN) -> Plan:
    path = folder / "fabric.yaml"
    path.write_text(text)
    return plan.load(path)
