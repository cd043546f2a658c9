"""Who may import whom: the machinery knows no role, and what runs on hosts knows no lab."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from gpufleet.project import ROOT

#: A command that brings a lab up; `gpufleet lab` itself is loaded by its name.
OF_THE_LAB = ["gpufleet/demo.py"]


def imports(path: Path) -> Iterator[str]:
    """Whole names of the modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def importers(folder: str, of: str) -> list[str]:
    """Files below a folder that import something below a module."""
    found = [path for path in sorted((ROOT / folder).rglob("*.py")) if any(_below(name, of) for name in imports(path))]
    return [str(path.relative_to(ROOT)) for path in found]


def _below(name: str, of: str) -> bool:
    return name == of or name.startswith(f"{of}.")


def test_the_machinery_imports_no_role() -> None:
    assert importers("gpufleet", "roles") == []


def test_only_the_lab_and_its_commands_import_the_lab() -> None:
    found = [path for path in importers("gpufleet", "gpufleet.lab") if not path.startswith("gpufleet/lab/")]
    assert found == OF_THE_LAB
    assert importers("roles", "gpufleet.lab") == []


def test_what_a_file_imports_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "x.py"
    path.write_text("import roles.base.options\n\ndef late() -> None:\n    from gpufleet import lab\n")
    assert list(imports(path)) == ["roles.base.options", "gpufleet.lab"]
