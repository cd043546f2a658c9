"""Names that tell one test run's labs from another's."""

from __future__ import annotations

import os


def lab_name() -> str:
    """Name of this test process's lab; every container, network and process of its labs carries it."""
    return f"test-{os.getpid()}"
