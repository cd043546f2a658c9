"""A stand-in API server for tests that ask one, and a client of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gpufleet.kubernetes.api import Cluster
from tests.support.api_server import ApiServer
from tests.support.certificates import Authority
from tests.support.clusters import cluster


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def server(authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiServer]:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "KUBECONFIG"):
        monkeypatch.delenv(name, raising=False)
    with ApiServer(authority.pair("kube-apiserver"), tmp_path) as server:
        yield server


@pytest.fixture
def asked(server: ApiServer, authority: Authority, tmp_path: Path) -> Iterator[Cluster]:
    with cluster(tmp_path, server.url, authority.pem) as opened:
        yield opened
