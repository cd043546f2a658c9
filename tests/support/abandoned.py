"""Labs of test runs that were killed: Docker starts their hosts again, and they eat what running tests need."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

from tests.support import leaks

#: A container or network of a test run's lab; the number is the run's process (`run_name`).
OF_A_RUN = re.compile(r"gpufleet-test-(\d+)(?:-|$)")


def remove() -> None:
    """Remove containers and networks of runs whose process is gone, where a Docker daemon answers."""
    for kind, removal in (("container", ["rm", "--force", "--volumes"]), ("network", ["rm"])):
        if names := abandoned(leaks.of_labs(kind, "test-"), runs):
            # Another process of this run may be at the same removal.
            subprocess.run(["docker", kind, *removal, *names], capture_output=True, check=False)


def abandoned(names: Iterable[str], runs: Callable[[int], bool]) -> list[str]:
    """Names that belong to a test run which is not there any more."""
    return [name for name in names if (run := OF_A_RUN.match(name)) and not runs(int(run[1]))]


def runs(process: int) -> bool:
    """Whether this process is a run of tests; its number may have been given to another program since."""
    try:
        return b"pytest" in Path("/proc", str(process), "cmdline").read_bytes()
    except OSError:
        return False
