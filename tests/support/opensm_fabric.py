"""A fabric of one switch for a single lab host with two adapters."""

from __future__ import annotations

from gpufleet.lab import waiting
from gpufleet.lab.hosts import LabHost

HOST, PROFILE = "d12", "hgx-a100"
PLAN = f"""\
speed: HDR
switches:
  leaf-01: {{role: leaf, ports: 16, guid: 0x200000}}
hosts:
  {HOST}: {{mlx5_0: {{guid: 0x100000}}, mlx5_1: {{guid: 0x100002}}}}
links:
  leaf-01: {{1: {HOST} mlx5_0, 2: {HOST} mlx5_1}}
"""
#: GUIDs of the adapters' ports.
GUIDS = {"mlx5_0": "0x0000000000100001", "mlx5_1": "0x0000000000100003"}


def wait_for(host: LabHost, command: str, expected: str, seconds: float = 120) -> None:
    """Wait until a command prints something."""

    def seen() -> tuple[bool, str]:
        result = host.execute(command, check=False)
        return expected in result.stdout, result.stdout + result.stderr

    waiting.until(host.container, f"{expected} of {command}", seen, seconds)
