"""Hosts share what they compile by settings that every way into a host hands on."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpufleet.lab import compilations

SETTINGS = ["DEBIAN_KERNEL_USE_CCACHE=1", "CCACHE_DIR=/var/cache/gpufleet-lab-ccache", "CCACHE_MAXSIZE=2G"]


def test_logins_sudo_and_services_get_the_settings() -> None:
    files = {entry.path: (entry.data.decode(), entry.mode) for entry in compilations.files()}
    assert files.pop("/usr/sbin/ccache") == (compilations.PROBES.read_text(), 0o755)
    assert files == {
        "/etc/environment": ("".join(f"{one}\n" for one in SETTINGS), 0o644),
        "/etc/sudoers.d/gpufleet-lab": (
            'Defaults env_keep += "DEBIAN_KERNEL_USE_CCACHE CCACHE_DIR CCACHE_MAXSIZE CCACHE_DISABLE"\n',
            0o440,
        ),
        "/etc/dkms/framework.conf.d/gpufleet-lab.conf": ('compress_xz_opts="--check=crc32 -0"\n', 0o644),
        "/etc/systemd/system.conf.d/gpufleet-lab.conf": (
            f"[Manager]\nDefaultEnvironment={' '.join(SETTINGS)}\n",
            0o644,
        ),
    }


def test_the_cache_is_beside_the_downloads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert compilations.directory() == tmp_path / "gpufleet/ccache"
    assert compilations.directory().is_dir()
