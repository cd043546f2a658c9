"""One file on its way into the archive's cache, which any number of clients may follow while it grows."""

from __future__ import annotations

import hashlib
import http.client
import os
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from gpufleet.lab.sources import TIMEOUT

CHUNK = 1 << 18


class DownloadError(Exception):
    """The file cannot be had from upstream; carries the HTTP status to pass on."""

    def __init__(self, status: int, reason: str) -> None:
        self.status, self.reason = status, reason
        super().__init__(f"{status} {reason}")


class Download:
    """Fetches a URL into a temporary file beside its target and renames it when it is complete and right."""

    def __init__(self, opener: urllib.request.OpenerDirector, url: str, target: Path) -> None:
        self.opener, self.url, self.target = opener, url, target
        self.part = target.with_name(f".{target.name}.part-{os.getpid()}")
        self.length: int | None = None
        self.received = 0
        self.done = False
        self.error: DownloadError | None = None
        self.changed = threading.Condition()

    def run(self) -> None:
        """Fetch the file; its followers learn of the outcome."""
        error = self.outcome()
        self.part.unlink(missing_ok=True)
        self.finish(error)

    def outcome(self) -> DownloadError | None:
        """Fetch the file and put it in its place; returns what went wrong."""
        try:
            self.fetch()
            self.part.replace(self.target)
        except urllib.error.HTTPError as error:
            return DownloadError(error.code, error.reason)
        except DownloadError as error:
            return error
        except (OSError, http.client.HTTPException) as error:
            return DownloadError(502, str(error))
        return None

    def fetch(self) -> None:
        """Copy upstream's answer into the temporary file and hold it against its declared length and name."""
        self.target.parent.mkdir(parents=True, exist_ok=True)
        with self.opener.open(self.url, timeout=TIMEOUT) as response, self.part.open("wb", buffering=0) as file:
            length = response.headers.get("Content-Length")
            self.advance(0, int(length) if length else None)
            while chunk := response.read1(CHUNK):
                file.write(chunk)
                self.advance(len(chunk), self.length)
        if self.length not in (None, self.received):
            raise DownloadError(502, f"upstream sent {self.received} of {self.length} bytes")
        if expected := named_hash(self.target):
            algorithm, digest = expected
            with self.part.open("rb") as file:
                found = hashlib.file_digest(file, algorithm).hexdigest()
            if found != digest:
                raise DownloadError(502, f"upstream sent {algorithm} {found}")

    def advance(self, count: int, length: int | None) -> None:
        """Record progress and wake the followers."""
        with self.changed:
            self.received += count
            self.length = length
            self.changed.notify_all()

    def finish(self, error: DownloadError | None) -> None:
        """Record the outcome and wake the followers."""
        with self.changed:
            self.error, self.done = error, True
            if error is None:
                self.length = self.received
            self.changed.notify_all()

    def size(self) -> int:
        """Wait until the size is known; raises DownloadError where the file cannot be had."""
        with self.changed:
            self.changed.wait_for(lambda: self.done or self.length is not None)
            if self.error or self.length is None:
                raise self.error or DownloadError(502, "no length")
            return self.length

    def chunks(self) -> Iterator[bytes]:
        """The file's content as it arrives; raises DownloadError if it breaks off."""
        try:
            file = self.part.open("rb")
        except FileNotFoundError:  # completed meanwhile
            file = self.target.open("rb")
        with file:
            while ready := self.ready(file.tell()):
                yield file.read(min(ready, CHUNK))

    def ready(self, position: int) -> int:
        """Wait for content past the position; returns how much there is, 0 at the end.

        The last byte is held back until the whole is known to be right: a client never gets a complete wrong file.
        """
        with self.changed:
            self.changed.wait_for(lambda: self.done or self.received - 1 > position)
            if self.error:
                raise self.error
            return self.received - position - (0 if self.done else 1)


def named_hash(path: Path) -> tuple[str, str] | None:
    """Algorithm and digest that an apt `by-hash/SHA256/...` path promises."""
    if path.parent.parent.name != "by-hash":
        return None
    return path.parent.name.lower().removesuffix("sum"), path.name
