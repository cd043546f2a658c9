"""The lab's package archive: a caching pass-through to where the machine's own packages come from, and the lab's
own repositories of vendors.

Runs as a process of its own on the gateway of the lab's network. Packages and index files named by their hash are
kept for ever; other index files always come fresh from upstream. Addresses in the deny file are refused.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from gpufleet.lab import sources
from gpufleet.lab.download import Download, DownloadError
from gpufleet.lab.fresh import fetch

PORT = 3142
#: Path under which the archive tells whose it is: the deny file that it obeys.
WHOSE = "/-/whose"


class Archive(ThreadingHTTPServer):
    """The server with its upstream addresses, cache directory, deny file, and the folder of the lab's own packages."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(
        self, address: tuple[str, int], upstream: Mapping[str, str], cache: Path, denied: Path, own: Path | None = None
    ) -> None:
        self.upstream, self.cache, self.denied, self.own = upstream, cache, denied, own
        self.opener = sources.opener()
        self.downloads: dict[Path, Download] = {}
        self.lock = threading.Lock()
        super().__init__(address, Request)

    def refuses(self, address: str) -> bool:
        """Whether the deny file names the address."""
        return self.denied.is_file() and address in self.denied.read_text().split()

    def file(self, path: PurePosixPath) -> Path | None:
        """The file of the lab's own repositories at that path, if any."""
        found = self.own.joinpath(*path.parts[1:]) if self.own else None
        return found if found and found.is_file() else None

    def download(self, url: str, target: Path) -> Download | None:
        """The download of a file, joined or begun; None when the cache has it."""
        with self.lock:
            if target.is_file():
                return None
            running = self.downloads.get(target)
            if running is None or running.done:  # one that failed is begun anew
                running = self.downloads[target] = Download(self.opener, url, target)
                threading.Thread(target=self.run, args=(running,), daemon=True).start()
            return running

    def run(self, download: Download) -> None:
        """Run a download and forget it."""
        try:
            download.run()
        finally:
            with self.lock:
                if self.downloads.get(download.target) is download:
                    del self.downloads[download.target]

    def service_actions(self) -> None:
        """End when the lab's directory has gone: nobody could stop this process any more."""
        if not self.denied.parent.is_dir():
            threading.Thread(target=self.shutdown, daemon=True).start()

    def server_close(self) -> None:
        """Close, leaving no half file in the cache."""
        super().server_close()
        for download in list(self.downloads.values()):
            download.part.unlink(missing_ok=True)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is not worth a traceback; anything else is."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class Request(BaseHTTPRequestHandler):
    """One client's connection."""

    protocol_version = "HTTP/1.1"
    server: Archive

    def do_HEAD(self) -> None:
        """Answer without content."""
        self.do_GET()

    def do_GET(self) -> None:
        """Answer from the cache, else from upstream."""
        path = PurePosixPath(unquote(urlsplit(self.path).path))
        base = self.server.upstream.get(path.parts[1]) if len(path.parts) > 2 else None
        if self.path == WHOSE:
            self.send(str(self.server.denied).encode())
        elif self.server.refuses(self.client_address[0]):
            self.send_error(503, "Refused by the lab's fault apt-down")
        elif ".." in path.parts:
            self.send_error(404)
        elif own := self.server.file(path):
            self.send_file(own)
        elif base is None:
            self.send_error(404)
        else:
            self.answer(f"{base}/{urlsplit(self.path).path.split('/', 2)[2]}", path)

    def answer(self, url: str, path: PurePosixPath) -> None:
        """Send the file, or what upstream says against it."""
        try:
            if path.suffix in (".deb", ".udeb") or "by-hash" in path.parts:
                self.send_kept(url, self.server.cache.joinpath(*path.parts[1:]))
            else:
                self.send_fresh(url)
        except DownloadError as error:
            self.send_error(error.status, error.reason)

    def send_kept(self, url: str, target: Path) -> None:
        """Send a file that never changes, keeping it."""
        download = self.server.download(url, target)
        self.begin(200, download.size() if download else target.stat().st_size)
        if self.command == "HEAD":
            return
        if download is None:
            self.send_content(target)
            return
        try:
            for chunk in download.chunks():
                self.wfile.write(chunk)
        except DownloadError as error:
            self.log_error("%s: %s", url, error)
            self.close_connection = True  # short of the promised length: the client sees it and tries again

    def send_file(self, path: Path) -> None:
        """Send a file of the lab's own repositories."""
        self.begin(200, path.stat().st_size)
        if self.command != "HEAD":
            self.send_content(path)

    def send_content(self, path: Path) -> None:
        """Send what a file holds."""
        with path.open("rb") as file:
            shutil.copyfileobj(file, self.wfile)

    def send_fresh(self, url: str) -> None:
        """Pass an index file through, conditions included."""
        since = self.headers.get("If-Modified-Since")
        self.send(*fetch(url, {"If-Modified-Since": since} if since else {}))

    def send(self, body: bytes, status: int = 200, modified: str | None = None) -> None:
        """Send what is in memory."""
        self.begin(status, len(body), modified)
        if self.command != "HEAD":
            self.wfile.write(body)

    def begin(self, status: int, length: int, modified: str | None = None) -> None:
        """Send status and headers."""
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        if modified:
            self.send_header("Last-Modified", modified)
        self.end_headers()


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True, help="shown in the process list")
    parser.add_argument("--listen", required=True, help="address of the lab's gateway")
    parser.add_argument("--debian", required=True, help="upstream of /debian")
    parser.add_argument("--security", help="upstream of /debian-security")
    parser.add_argument("--cache", required=True, type=Path)
    parser.add_argument("--denied", required=True, type=Path)
    parser.add_argument("--own", type=Path, help="folder of the lab's own repositories")
    options = parser.parse_args()
    upstream = {"debian": options.debian, **({"debian-security": options.security} if options.security else {})}
    server = Archive((options.listen, PORT), upstream, options.cache, options.denied, options.own)
    # shutdown() waits for serve_forever(), which the signal has interrupted: it must not be called from the handler.
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    with server:
        server.serve_forever()


if __name__ == "__main__":
    main()
