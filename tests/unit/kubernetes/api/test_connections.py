"""What becomes of connections on which nothing of use comes back, and which of them are tried again."""

from __future__ import annotations

import re
import socket
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from gpufleet.errors import UnansweredError
from gpufleet.kubernetes.api import Cluster
from tests.support.api_server import ApiServer
from tests.support.certificates import Authority
from tests.support.clusters import said


def test_nobody_listens(authority: Authority, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"https://127.0.0.1:{taken.getsockname()[1]}"
    cure = f"check the server in {tmp_path / 'kubeconfig'}, and that it runs"
    found = said(tmp_path, url, authority.pem, UnansweredError)
    assert found == f'{url}: expected an answer of the API server, found "Connection refused"; {cure}'


def test_one_that_says_nothing(authority: Authority, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"https://127.0.0.1:{mute.getsockname()[1]}"
        found = said(tmp_path, url, authority.pem, UnansweredError, timeout=0.05)
    cure = f"check the server in {tmp_path / 'kubeconfig'}, and that it runs"
    assert found == f"{url}: expected an answer of the API server, found none in time; {cure}"


def test_an_error_of_a_balancer_without_a_type_of_content(server: ApiServer, asked: Cluster) -> None:
    server.first = [(503, {}, "no backend")] * 5
    with pytest.raises(UnansweredError) as caught:
        asked.node("gpu-01")
    expected = "expected an answer to get nodes gpu-01, found status 503; run again once the API server is well"
    assert str(caught.value) == f"{server.url}: {expected}"


def test_a_server_without_tls(authority: Authority, tmp_path: Path) -> None:
    """It is asked once: repeating that would mend nothing."""
    waited: list[float] = []
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as plain:
        Thread(target=plain.handle_request).start()
        url = f"https://127.0.0.1:{plain.server_port}"
        found = said(tmp_path, url, authority.pem, pause=waited.append)
    cure = f"check the server in {tmp_path / 'kubeconfig'}, and that it runs"
    assert re.fullmatch(
        rf'{url}: expected an answer of the API server, found "[^"]*SSL[^"]*"; {re.escape(cure)}', found
    )
    assert waited == []


def test_a_token_that_no_request_can_hold_is_not_shown(server: ApiServer, authority: Authority, tmp_path: Path) -> None:
    assert said(tmp_path, server.url, authority.pem, token="SECRET\nSECRET") == (
        f"{tmp_path / 'kubeconfig'}: expected credentials that HTTP can carry, found other characters in them, such as "
        "the end of a line; give them without"
    )
