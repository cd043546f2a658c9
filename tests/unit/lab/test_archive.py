"""The package archive against a real upstream server: byte-correct, kept once, honest about what breaks."""

from __future__ import annotations

import hashlib
import http.client
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from gpufleet.lab.archive import Archive

CONTENT = bytes(range(256)) * 5000
DEB = "/debian/pool/main/h/hello/hello_2.10-3_amd64.deb"
BY_HASH = "/debian/dists/bookworm/main/binary-amd64/by-hash/SHA256/"
INDEX = "/debian/dists/bookworm/InRelease"
DATE = "Sat, 21 Nov 2026 02:10:46 GMT"


class Upstream(BaseHTTPRequestHandler):
    """Serves CONTENT under every path and misbehaves on request."""

    protocol_version = "HTTP/1.1"
    asked: ClassVar[list[str]]
    #: Held back until set, so that a test can have several clients wait for one download.
    gate: ClassVar[threading.Event]

    def do_GET(self) -> None:
        type(self).asked.append(self.path)
        if "missing" in self.path:
            return self.send_error(404, "Not here")
        if self.headers.get("If-Modified-Since") == DATE:
            self.send_response(304)
            return self.end_headers()
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT) + ("short" in self.path)))
        self.send_header("Last-Modified", DATE)
        self.end_headers()
        self.wfile.write(CONTENT[:100])
        self.wfile.flush()
        assert type(self).gate.wait(10)
        self.wfile.write(CONTENT[100:])
        self.close_connection = True
        return None

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


class Archives:
    """An archive in front of an upstream server."""

    def __init__(self, directory: Path, upstream: int) -> None:
        self.cache, self.denied = directory / "cache", directory / "denied"
        self.own, addresses = directory / "own", {"debian": f"http://127.0.0.1:{upstream}/up"}
        self.server = Archive(("127.0.0.1", 0), addresses, self.cache, self.denied, self.own)

    def get(self, path: str, method: str = "GET", **headers: str) -> tuple[int, bytes]:
        """Status and content of a file."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.server_address[1], timeout=10)
        try:
            connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def breaks(self, path: str) -> bool:
        """Whether the client sees that the file is not right: cut short, or refused if that was known in time."""
        try:
            return self.get(path)[0] == 502
        except http.client.IncompleteRead:
            return True

    def kept(self) -> list[Path]:
        """Files in the cache, half ones included."""
        return [path for path in self.cache.rglob("*") if path.is_file()]


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Archives]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("gpufleet.lab.sources.proxies", dict)
    Upstream.asked, Upstream.gate = [], threading.Event()
    Upstream.gate.set()
    with ThreadingHTTPServer(("127.0.0.1", 0), Upstream) as upstream:
        made = Archives(tmp_path, upstream.server_address[1])
        with made.server:
            for server in (upstream, made.server):
                threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
            monkeypatch.setattr("gpufleet.lab.archive.Request.log_message", lambda *_: None)
            yield made
            made.server.shutdown()
        upstream.shutdown()


def test_a_package_is_fetched_once_and_kept(archive: Archives) -> None:
    assert [archive.get(DEB), archive.get(DEB)] == [(200, CONTENT)] * 2
    assert Upstream.asked == ["/up/pool/main/h/hello/hello_2.10-3_amd64.deb"]
    assert archive.kept() == [archive.cache / DEB.lstrip("/")]


def test_clients_that_ask_at_once_follow_one_download(archive: Archives) -> None:
    Upstream.gate.clear()
    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(archive.get, DEB) for _ in range(8)]
        Upstream.gate.set()
        assert [answer.result() for answer in answers] == [(200, CONTENT)] * 8
    assert len(Upstream.asked) == 1


def test_content_arrives_while_the_download_is_still_running(archive: Archives) -> None:
    Upstream.gate.clear()
    connection = http.client.HTTPConnection("127.0.0.1", archive.server.server_address[1], timeout=10)
    connection.request("GET", DEB)
    response = connection.getresponse()
    assert response.read(99) == CONTENT[:99]  # the last byte so far is held back, as it might be the very last
    Upstream.gate.set()
    assert response.read() == CONTENT[99:]
    connection.close()


def test_an_index_is_always_fresh(archive: Archives) -> None:
    assert [archive.get(INDEX), archive.get(INDEX)] == [(200, CONTENT)] * 2
    assert len(Upstream.asked) == 2
    assert archive.kept() == []


def test_an_unchanged_index_is_not_sent_again(archive: Archives) -> None:
    assert archive.get(INDEX, If_Modified_Since=DATE) == (304, b"")


def test_an_index_named_by_its_hash_is_kept(archive: Archives) -> None:
    path = BY_HASH + hashlib.sha256(CONTENT).hexdigest()
    assert [archive.get(path), archive.get(path)] == [(200, CONTENT)] * 2
    assert len(Upstream.asked) == 1


def test_content_that_belies_its_hash_is_neither_completed_nor_kept(archive: Archives) -> None:
    assert [archive.breaks(BY_HASH + "0" * 64) for _ in range(2)] == [True, True]
    assert len(Upstream.asked) == 2
    assert archive.kept() == []


def test_a_download_that_breaks_off_is_seen_by_the_client_and_not_kept(archive: Archives) -> None:
    assert archive.breaks("/debian/pool/short.deb")
    assert archive.kept() == []


def test_a_missing_file_is_reported_as_upstream_does(archive: Archives) -> None:
    assert archive.get("/debian/pool/missing.deb")[0] == 404
    assert archive.get("/debian/dists/missing/InRelease")[0] == 404
    assert archive.kept() == []


def test_an_upstream_that_is_away_is_a_bad_gateway(archive: Archives) -> None:
    archive.server.upstream = {"debian": "http://127.0.0.1:1/none"}
    assert archive.get(DEB)[0] == 502
    assert archive.get(INDEX)[0] == 502


def test_a_refused_host_gets_nothing(archive: Archives) -> None:
    archive.get(DEB)
    archive.denied.write_text("10.0.0.1\n127.0.0.1\n")
    assert archive.get(DEB)[0] == 503
    archive.denied.write_text("10.0.0.1\n")
    assert archive.get(DEB)[0] == 200


@pytest.mark.parametrize(
    "path", ["/", "/debian", "/ubuntu/pool/x.deb", "/debian/../secret.deb", "/debian/%2e%2e/x.deb"]
)
def test_paths_outside_the_archive_do_not_exist(archive: Archives, path: str) -> None:
    assert archive.get(path)[0] == 404
    assert Upstream.asked == []


def test_the_labs_own_repositories_are_served_as_they_are(archive: Archives) -> None:
    folder = archive.own / "nvidia/compute"
    folder.mkdir(parents=True)
    (folder / "libnccl2_2.28.3-1+cuda13.0_amd64.deb").write_bytes(CONTENT)
    assert archive.get("/nvidia/compute/libnccl2_2.28.3-1%2bcuda13.0_amd64.deb") == (200, CONTENT)
    assert archive.get("/nvidia/compute/libnccl2_2.28.3-1+cuda13.0_amd64.deb", method="HEAD") == (200, b"")
    assert archive.get("/nvidia/compute/")[0] == 404
    assert Upstream.asked == []


def test_a_refused_host_gets_none_of_the_labs_own_packages(archive: Archives) -> None:
    archive.own.mkdir()
    (archive.own / "key.pub").write_text("key")
    archive.denied.write_text("127.0.0.1\n")
    assert archive.get("/key.pub")[0] == 503


def test_head_has_no_content(archive: Archives) -> None:
    assert archive.get(DEB, "HEAD") == (200, b"")
    assert archive.get(INDEX, "HEAD") == (200, b"")


def test_it_says_whose_it_is(archive: Archives) -> None:
    assert archive.get("/-/whose") == (200, str(archive.denied).encode())


def test_it_ends_when_its_lab_has_gone(tmp_path: Path) -> None:
    directory = tmp_path / "lab"
    directory.mkdir()
    with Archive(("127.0.0.1", 0), {}, tmp_path / "cache", directory / "denied") as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        directory.rmdir()
        thread.join(10)
        assert not thread.is_alive()
