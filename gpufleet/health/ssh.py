"""One command on a host over SSH, with an end: a host that falls silent is given up, and its ssh process is ended.

testinfra's own `run` waits for as long as the host likes; what is run once the probe has answered may still use it.
"""

from __future__ import annotations

import os
import selectors
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass

from testinfra.backend.ssh import SshBackend
from testinfra.host import Host

#: Seconds that a killed process of ours is waited for; one that a file server holds up is left to the system.
_REAP_SECONDS = 5


@dataclass(frozen=True)
class Patience:
    """Seconds that are waited for what a command prints."""

    #: For its first word: connecting, logging in and becoming root included.
    first: float
    #: For each further one.
    further: float
    #: For all of them.
    last: float


@dataclass(frozen=True)
class Answer:
    """What a command came to; ssh's own failure is the status 255."""

    rc: int
    stdout: bytes
    stderr: str


class OverdueError(Exception):
    """A host was silent for too long: which word of its answer did not come, and within how many seconds."""

    def __init__(self, word: str, seconds: float) -> None:
        self.word, self.seconds = word, seconds
        super().__init__(f"expected the {word} word within {seconds:g} s, found none")


def run(host: Host, text: str, patience: Patience) -> Answer:
    """Run a shell command on a host, as root where its connection says so; raises OverdueError."""
    pipe = subprocess.PIPE
    process = subprocess.Popen(_command(host, text), stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe)
    try:
        return _heard(process, patience)
    finally:
        _end(process)


def _command(host: Host, text: str) -> list[str]:
    backend = host.backend
    if not isinstance(backend, SshBackend):
        raise TypeError(f"expected a host that is reached by SSH, found the backend {backend.get_connection_type()}")
    options = ["-F", backend.ssh_config or "none", "-o", f"ConnectTimeout={backend.timeout}"]
    return ["ssh", *options, backend.host.name, backend.get_command(text)]


def _heard(process: subprocess.Popen[bytes], patience: Patience) -> Answer:
    """Read both streams to their ends, each word in its time, and then the status."""
    begun, words = time.monotonic(), (bytearray(), bytearray())
    with selectors.DefaultSelector() as selector:
        for stream, heard in zip((process.stdout, process.stderr), words, strict=True):
            selector.register(stream or -1, selectors.EVENT_READ, heard)
        while selector.get_map():
            word, seconds = ("next", patience.further) if words[0] else ("first", patience.first)
            left = begun + patience.last - time.monotonic()
            ready = selector.select(max(0, min(seconds, left)))
            if left <= 0 or not ready:
                raise OverdueError("last", patience.last) if left <= seconds else OverdueError(word, seconds)
            for key, _ in ready:
                if data := os.read(key.fd, 1 << 16):
                    key.data.extend(data)
                else:
                    selector.unregister(key.fileobj)
    try:
        status = process.wait(patience.further)
    except subprocess.TimeoutExpired:
        raise OverdueError("last", patience.further) from None
    return Answer(status, bytes(words[0]), words[1].decode(errors="replace"))


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.kill()
        with suppress(subprocess.TimeoutExpired):
            process.wait(_REAP_SECONDS)
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            stream.close()
