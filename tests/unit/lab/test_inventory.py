"""What the lab adds to an inventory."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpufleet.lab import vendors
from gpufleet.lab.inventory import doca_repository, docker_repository, kubernetes_repository, nvidia_repository


def test_nvidias_packages_come_from_the_lab_with_the_key_of_the_lab(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert nvidia_repository() == {
        "base_url": "http://archive:3142/nvidia/",
        "key_fingerprint": vendors.fingerprint(),
    }


def test_so_does_doca_ofed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert doca_repository() == {
        "base_url": "http://archive:3142/mellanox/",
        "key_fingerprint": vendors.fingerprint(),
    }


def test_so_does_kubernetes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert kubernetes_repository() == {
        "base_url": "http://archive:3142/kubernetes/",
        "key_fingerprint": vendors.fingerprint(),
    }


def test_so_does_containerd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert docker_repository() == {
        "base_url": "http://archive:3142/docker/",
        "key_fingerprint": vendors.fingerprint(),
    }
