"""Where the operator's own rows are looked for."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from gpufleet.errors import InventoryError
from gpufleet.stack.host import overlay


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an inventory; the current directory is another."""
    monkeypatch.delenv(overlay.VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fleets").mkdir()
    (tmp_path / "fleets" / "metal.py").write_text("gpu = ['gpu-1']\n")
    return tmp_path / "fleets"


def test_gpufleet_names_the_inventory(fleet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(overlay.VARIABLE, "fleets/metal.py")
    assert overlay.folder().resolve() == fleet


@pytest.mark.parametrize(
    "arguments",
    [
        ["/venv/bin/pyinfra", "fleets/metal.py", "deploys/site.py"],
        ["/venv/bin/pyinfra", "-y", "--limit", "gpu-1", "fleets/metal.py", "deploys/site.py"],
        ["/venv/lib/pyinfra/__main__.py", "fleets/metal.py", "deploys/site.py"],
    ],
)
def test_plain_pyinfra_names_it_first(fleet: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    monkeypatch.setattr(sys, "argv", arguments)
    assert overlay.folder().resolve() == fleet


@pytest.mark.parametrize(
    "arguments", [["/venv/bin/pyinfra", "@local", "x"], ["/venv/bin/other", "fleets/metal.py"], [""], []]
)
def test_else_the_current_directory(fleet: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    monkeypatch.setattr(sys, "argv", arguments)
    assert overlay.folder().resolve() == fleet.parent


def test_a_file_beside_the_inventory(fleet: Path) -> None:
    assert overlay.find(fleet) is None
    (fleet / "stack.yaml").write_text("{}\n")
    assert overlay.find(fleet) == fleet / "stack.yaml"


def test_a_file_that_is_named(fleet: Path) -> None:
    (fleet.parent / "rows.yaml").write_text("{}\n")
    assert overlay.find(fleet, "../rows.yaml") == fleet.parent / "rows.yaml"


def test_a_named_file_that_is_not_there(fleet: Path) -> None:
    with pytest.raises(InventoryError) as caught:
        overlay.find(Path("fleets"), "rows.yaml")
    assert (str(caught.value), caught.value.exit_code) == (
        "stack.overlay: expected a file, found no fleets/rows.yaml; "
        "correct stack.overlay: it is relative to the inventory",
        2,
    )
