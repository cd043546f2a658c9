"""Removing unpacked files, by a real shell."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from gpufleet.facts.unpacked import UnpackedPackage
from gpufleet.operations import unpacked


@pytest.fixture
def manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The manifest of one unpacked package with one file."""
    monkeypatch.setattr(unpacked, "MANIFESTS", str(tmp_path / "manifests"))
    library = tmp_path / "cuda-12.9/nccl/lib/libnccl.so.2"
    library.parent.mkdir(parents=True)
    library.touch()
    (tmp_path / "cuda-12.9/bin").mkdir()
    row = UnpackedPackage("libnccl2", "2.28.3-1+cuda12.9", str(tmp_path / "cuda-12.9"))
    path = tmp_path / "manifests" / f"libnccl2@{row.directory.strip('/').replace('/', '-')}"
    path.parent.mkdir()
    path.write_text(f"{row.name} {row.version} {row.directory}\n{library}\n")
    return path


def removal(tmp_path: Path, path: str = "/usr/bin:/bin") -> int:
    """Exit status of the script that removes it."""
    row = UnpackedPackage("libnccl2", "2.28.3-1+cuda12.9", str(tmp_path / "cuda-12.9"))
    script = unpacked._script(unpacked._REMOVE, row, component="nccl")
    return subprocess.run(["/bin/sh", "-c", script], env={"PATH": path}, check=False).returncode


def test_files_and_their_folder_go(tmp_path: Path, manifest: Path) -> None:
    assert removal(tmp_path) == 0
    assert not manifest.exists()
    assert [path.name for path in (tmp_path / "cuda-12.9").iterdir()] == ["bin"]


def test_files_that_stay_are_remembered(tmp_path: Path, manifest: Path) -> None:
    refusing = tmp_path / "programs"
    refusing.mkdir()
    (refusing / "rm").write_text("#!/bin/sh\nexit 1\n")
    (refusing / "rm").chmod(0o755)
    assert removal(tmp_path, f"{refusing}:/usr/bin:/bin") != 0
    assert manifest.exists()
