"""The client of an API server, as tests open one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gpufleet.errors import ClusterError
from gpufleet.kubernetes import kubeconfig
from gpufleet.kubernetes.api import Cluster
from gpufleet.kubernetes.data import ClusterData
from gpufleet.options.secret import Secret
from tests.support.api_server import TOKEN
from tests.support.kubeconfigs import document, write


def cluster(
    folder: Path,
    server: str,
    authority: bytes | None,
    *,
    timeout: float = 10.0,
    pause: Callable[[float], object] = lambda seconds: None,
    **user: Any,
) -> Cluster:
    """A client by a kubeconfig of its own that does not wait; `user` is what it says of the user."""
    path = write(folder / "kubeconfig", document(server, authority, user or {"token": TOKEN}))
    return Cluster(kubeconfig.read(ClusterData(kubeconfig=Secret(file=path))), timeout, pause)


def said(
    folder: Path, server: str, authority: bytes | None, kind: type[ClusterError] = ClusterError, **more: Any
) -> str:
    """What asking for a node ends with, and that it says so of the whole cluster."""
    with pytest.raises(ClusterError) as caught, cluster(folder, server, authority, **more) as asked:
        asked.node("gpu-01")
    assert type(caught.value) is kind
    return str(caught.value)
