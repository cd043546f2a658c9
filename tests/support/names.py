"""Names that tell one test run's labs from another's."""

from __future__ import annotations

import os


def run_name() -> str:
    """Name of this test run: every container, network and process of its labs carries it."""
    return f"test-{os.getppid() if _worker() else os.getpid()}"


def lab_name() -> str:
    """Name of this test process's lab: of a run that is shared by several processes, each has its own."""
    return "-".join(filter(None, [run_name(), _worker()]))


def _worker() -> str:
    return os.environ.get("PYTEST_XDIST_WORKER", "")
