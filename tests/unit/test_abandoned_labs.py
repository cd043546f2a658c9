"""Which labs of earlier test runs are swept away."""

from __future__ import annotations

import subprocess

from tests.support import abandoned
from tests.support.names import run_name


def test_only_labs_of_runs_that_are_gone() -> None:
    names = [
        "gpufleet-test-100-gw0-nodes-n13",
        "gpufleet-test-100",
        "gpufleet-test-200-gw0-d12",
        "gpufleet-test-drive-n1",
        "gpufleet-demo-gpu-01",
        "other-gpufleet-test-100-x",
    ]
    assert abandoned.abandoned(names, lambda process: process == 200) == [
        "gpufleet-test-100-gw0-nodes-n13",
        "gpufleet-test-100",
    ]


def test_this_run_is_there() -> None:
    assert abandoned.abandoned([f"gpufleet-{run_name()}-gw0-d12"], abandoned.runs) == []


def test_a_process_that_ended_or_is_another_program_is_no_run() -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    assert not abandoned.runs(ended.pid)
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as other:
        assert not abandoned.runs(other.pid)
