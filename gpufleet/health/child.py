"""A pytest process over some hosts: started, listened to, and ended together with everything it started."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Any, Self

from gpufleet.errors import ProjectError
from gpufleet.health import connection
from gpufleet.health.fleet import HOSTS, packed
from gpufleet.inventory.hosts import InventoryHost
from gpufleet.project import ROOT

#: The checks' own conftest alone is read: those above it belong to the tests of gpufleet itself.
_PYTEST = [sys.executable, "-m", "pytest", "-q", "--tb=no", f"--rootdir={ROOT}", f"--config-file={ROOT}/pyproject.toml"]


class ChildKilledError(Exception):
    """The process was killed before it knew what to run; the text is the signal's name."""


class Child:
    """Checks its hosts from the start; leaving the context ends it, finished or not, and leaves nothing behind."""

    def __init__(self, hosts: Sequence[InventoryHost], options: Sequence[str]) -> None:
        self._directory = connection.new_directory()
        (self._directory / HOSTS).write_bytes(packed(hosts))
        self._output = (self._directory / "output").open("w+")
        self._reading, writing = os.pipe()
        command = [*_PYTEST, f"--verify-directory={self._directory}", f"--verify-report=/dev/fd/{writing}", *options]
        # A process group of its own: the terminal's interrupt reaches us alone, and we end all that it started.
        self._process = subprocess.Popen(
            command, stdout=self._output, stderr=self._output, pass_fds=[writing], process_group=0
        )
        os.close(writing)

    def events(self) -> Iterator[dict[str, Any]]:
        """Yield what its recorder writes, as it comes; results never travel as text for people.

        Raises ProjectError where the checks themselves kept it from knowing what to run, else ChildKilledError.
        """
        any_event = False
        with os.fdopen(self._reading) as stream:
            for line in stream:
                if not line.endswith("\n"):  # its end came while it wrote
                    break
                any_event = True
                yield json.loads(line)
        status = self._process.wait()
        if not any_event and status < 0:
            raise ChildKilledError(signal.Signals(-status).name)
        if not any_event:  # it ended before it knew what to run; later ends show as checks without an outcome
            self._output.seek(0)
            said = " ".join(self._output.read().split()) or f"exit status {status}"
            found = said.rpartition("ERROR: ")[2]
            raise ProjectError("the checks", expected="checks of hosts", found=found, cure="correct the checks")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._output.close()
        connection.clean(self._directory)
