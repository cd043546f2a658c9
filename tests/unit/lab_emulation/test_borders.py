"""The emulation keeps to what a minimal host has, and the product keeps away from the emulation."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

import gpufleet

PACKAGE = Path(gpufleet.__file__).parent
EMULATION = PACKAGE / "lab/emulation"
SOURCES = sorted((EMULATION / "emulated").glob("*.py"))

#: Standard modules that Debian 12's python3-minimal lacks and an author would reach for.
ABSENT = {"json", "dataclasses", "shutil", "shlex", "mmap", "xml", "tempfile", "ctypes", "difflib", "uuid"}


def imported(path: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(path.read_text())))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return plain | {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom) and node.level == 0}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_programs_import_only_what_python3_minimal_has(path: Path) -> None:
    roots = {name.partition(".")[0] for name in imported(path)}
    assert roots <= set(sys.stdlib_module_names) | {"__future__"}
    assert roots & ABSENT == set()


def test_no_product_code_imports_the_emulation() -> None:
    product = [path for path in PACKAGE.rglob("*.py") if EMULATION not in path.parents]
    assert product
    assert [path.name for path in product if any("emulation" in name for name in imported(path))] == []


def test_every_program_can_be_started() -> None:
    programs = [
        "dmesg",
        "fault",
        "hardware",
        "install",
        "kernel",
        "nvidia-persistenced",
        "nvidia-smi",
        "stand-ins",
        "train-job",
    ]
    found = sorted(path.name for path in EMULATION.iterdir() if path.is_file() and path.stat().st_mode & 0o111)
    assert found == programs
