"""A fabric of two hosts and two rails, as the lab gets it."""

from __future__ import annotations

from pathlib import Path

from gpufleet.fabric import plan
from gpufleet.fabric.plan import Plan

PLAN = """
speed: NDR
switches:
  spine-01: {role: spine, ports: 4, guid: 0x2c90300000010}
  leaf-01: {role: leaf, rail: 1, ports: 8}
  leaf-02: {role: leaf, rail: 2, ports: 8}
hosts:
  gpu-01: {mlx5_0: {rail: 1, guid: 0xa088c20300000010}, mlx5_1: {rail: 2}}
  gpu-02: {mlx5_0: {rail: 1}, mlx5_1: {rail: 2}}
links:
  leaf-01: {1: gpu-01 mlx5_0, 2: gpu-02 mlx5_0, 8: spine-01/1}
  leaf-02: {1: gpu-01 mlx5_1, 2: gpu-02 mlx5_1, 8: spine-01/2}
overrides:
  leaf-01/2: {speed: QDR}
  leaf-01/8: {speed: HDR, width: 12x}
"""


def planned(folder: Path, text: str = PLAN) -> Plan:
    path = folder / "fabric.yaml"
    path.write_text(text)
    return plan.load(path)
