"""Every fact against its cases: a folder is a fact, a file in it is a case."""

from __future__ import annotations

from pathlib import Path

from tests.support.unpatched import make_fact_tests

FOLDER = Path(__file__).parent

for folder in sorted(path for path in FOLDER.iterdir() if path.is_dir() and "." in path.name):
    globals()[f"Test_{folder.name}"] = make_fact_tests("gpufleet.facts", folder.name, folder)
