"""The runc of containerd.io is kept for a week."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpufleet.lab import recipe
from gpufleet.lab.containerd import packages, runc
from gpufleet.lab.state import State


def test_what_is_kept_is_not_fetched_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Docker and without a network."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "")
    kept = tmp_path / "gpufleet/runc"
    kept.mkdir(parents=True)
    for system in packages.systems():
        (kept / f"{system}-{recipe.this_week()}").write_text(f"runc of {system}")
    found = runc.ensure(State("none"), packages.systems(), {}, print)
    assert found == {"debian-12": b"runc of debian-12", "debian-13": b"runc of debian-13"}
