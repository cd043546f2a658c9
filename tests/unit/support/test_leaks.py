"""The census sees what it is there for: a leak that it cannot see would be no proof."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.support import leaks
from tests.support.leaks import Census, census
from tests.support.names import lab_name


def test_nothing_new_is_no_leak() -> None:
    assert Census(frozenset({"file /tmp/a"})).leaks(Census(frozenset({"file /tmp/a", "file /tmp/b"}))) == []


def test_workers_and_verifications_are_parts_of_a_run() -> None:
    parsed = pytest.Config.fromdictargs({}, [])
    parsed.option.inventory = None
    assert leaks.is_counted(parsed)
    parsed.option.inventory = "inventories/lab.py"
    assert not leaks.is_counted(parsed)
    worker = pytest.Config.fromdictargs({}, [])
    worker.workerinput = {}  # type: ignore[attr-defined]  # as xdist does
    assert not leaks.is_counted(worker)


def test_a_file_left_in_the_temporary_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = census()
    (tmp_path / "gpufleet-verify-x").touch()
    assert f"file {tmp_path}/gpufleet-verify-x" in census().leaks(before)


def test_a_stray_file_in_the_checkout(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    (tmp_path / "left.txt").touch()
    monkeypatch.setattr(leaks, "ROOT", tmp_path)
    assert leaks.strays() == ["file left.txt"]


def test_a_process_that_outlives_its_run() -> None:
    # A process has its arguments and environment from when it speaks: what started it goes on a little earlier.
    program = [sys.executable, "-c", "import sys; print(flush=True); sys.stdin.read()", "left over"]
    environment = {**os.environ, "GPUFLEET_LAB": lab_name()}
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        seen = leaks.processes()
        process.stdin.close()
    assert [line for line in seen if "left over" in line]


def test_a_container_and_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stub = tmp_path / "docker"
    stub.write_text('#!/bin/sh\necho "gpufleet-test-0-$1"\n')
    stub.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert leaks.docker("container") == ["container gpufleet-test-0-container"]
    assert leaks.docker("network") == ["network gpufleet-test-0-network"]
