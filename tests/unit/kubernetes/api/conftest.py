"""A stand-in API server for tests that ask one, and a client of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gpufleet.inventory.hosts import InventoryHost
from gpufleet.kubernetes.api import Cluster
from tests.support.api_server import TOKEN, ApiServer
from tests.support.certificates import Authority
from tests.support.clusters import cluster
from tests.support.inventories import inventory_of
from tests.support.kubeconfigs import document, write
from tests.support.node_checks import Nodes


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


@pytest.fixture
def fleet(server: ApiServer, authority: Authority, tmp_path: Path) -> Nodes:
    """Hosts that are nodes of the stand-in, by name."""
    path = write(tmp_path / "kubeconfig", document(server.url, authority.pem, {"token": TOKEN}))

    def hosts(*names: str, **data: Any) -> dict[str, InventoryHost]:
        merged = {"kubelet": {}, "kubernetes": {"kubeconfig": {"file": str(path)}}, **data}
        return dict(inventory_of(dict.fromkeys(names, merged)).hosts)

    return hosts
