"""A wave's process as seen by the one that started it: begun, asked, listened to, stopped and ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from typing import IO, Self

from gpufleet.converge.events import Event
from gpufleet.converge.request import Request
from gpufleet.project import ROOT
from gpufleet.stack.host import overlay


class Process:
    """One wave's process with the hosts it drives: none until it is asked; unasked it does nothing."""

    def __init__(self, inventory: str) -> None:
        self.hosts: tuple[str, ...] = ()
        self.log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `end`, when the process is gone
        paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        self.child = subprocess.Popen(
            [sys.executable, "-m", "gpufleet.converge.wave"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), overlay.VARIABLE: inventory},
            # A terminal's Ctrl-C must not reach it: the parent passes the wish on in its own way.
            start_new_session=True,
        )
        self.rest = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.abandon()

    def ask(self, request: Request) -> None:
        """Have it do this, once; a process that is gone already tells so when it is listened to."""
        self.hosts = request.hosts
        self._write(request.to_line().encode())

    def events(self) -> Iterator[Event] | None:
        """What can be read at once, None at the end."""
        data = os.read(self.child.stdout.fileno(), 1 << 16) if self.child.stdout else b""
        if not data:
            return None
        *lines, self.rest = (self.rest + data).split(b"\n")
        return (Event.from_line(line) for line in lines)

    def end(self) -> str:
        """Wait for the process; how it ended, in words, with its own last ones."""
        for stream in (self.child.stdin, self.child.stdout):
            if stream is not None:
                stream.close()
        status = self.child.wait()
        self.log.seek(0)
        words = self.log.read().decode(errors="replace").strip().splitlines()
        self.log.close()
        if status < 0:
            return f"its process ended by {signal.Signals(-status).name}"
        return f"its process ended with exit status {status}" + (
            f" (`{words[-1].strip()}`)" if status and words else ""
        )

    def stop(self) -> None:
        """Pass an operator's wish to stop on: by the channel, where it can wait until the process listens."""
        self._write(b"stop\n")

    def abandon(self) -> None:
        """Leave no process behind, whatever it is at."""
        if self.child.poll() is None:
            self.child.kill()
            self.end()

    def _write(self, data: bytes) -> None:
        if self.child.stdin is not None and not self.child.stdin.closed:
            with suppress(BrokenPipeError):
                self.child.stdin.write(data)
                self.child.stdin.flush()
