"""What `gpufleet validate` says of bad data of the role infiniband, before anything is touched."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from gpufleet import cli

INVENTORY = """
MACHINE = {"gpus": {"H100 SXM5": 8}, "rdma_adapters": 8}
NAMES = {"0000:18:00.0": "mlx5_0", "0000:3b:00.0": "mlx5_0"}
hosts = [
    ("gpu-01", {"machine": {"os": "debian-13", **MACHINE}, "infiniband": {"provider": "doca"}}),
    ("gpu-02", {"machine": {"os": "ubuntu-24.04", **MACHINE}, "infiniband": {"provider": "doca"}}),
    ("gpu-03", {"machine": {"os": "ubuntu-24.04", **MACHINE}, "infiniband": {"names": NAMES}}),
    ("gpu-04", {"machine": {"os": "ubuntu-24.04", **MACHINE}, "infiniband": {}}),
]
"""
KEY = "https://linux.mellanox.com/public/repo/doca/3.2.3/ubuntu24.04/x86_64/doca_keyring.gpg"


def test_every_fault_is_named(tmp_path: Path) -> None:
    path = tmp_path / "fleet.py"
    path.write_text(INVENTORY)
    result = CliRunner().invoke(cli.app, ["validate", str(path)])
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines() == [
        f"gpufleet: {path}: expected no faults, found 3 faults; correct the lines below; nothing was touched",
        "  gpu-03: infiniband.names: expected a name for one device each, found mlx5_0 again; correct one of them",
        "  gpu-01: stack: rdma_stack: expected inbox, as DOCA-OFED is made for debian-12, el-8, el-9, ubuntu-22.04, "
        "ubuntu-24.04, found doca on debian-13; set provider to inbox for the distribution's own rdma-core (ofed "
        "3.2.3; DOCA-Host packages as pinned by Azure/azhpc-images 8e9d055f, versions.json, "
        "https://github.com/Azure/azhpc-images)",
        f"  gpu-02: stack: stack.repositories.doca.key_fingerprint: expected the fingerprint of {KEY}, forty "
        "hexadecimal digits, found none in the matrix; read the key's fingerprint where you trust it, and name it "
        "there (repository doca; DOCA documentation 3.2.1, DOCA-Host Installation and Upgrade; the key beside the "
        "packages as in NVIDIA/cuda-quantum, realtime/scripts/deps_common.sh)",
    ]
