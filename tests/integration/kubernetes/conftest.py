"""The lab of this folder: a control plane, and two hosts whose way to a node and back the files tell in their order."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gpufleet.lab import prerequisites
from gpufleet.lab.hosts import HostSpec
from gpufleet.lab.lab import Lab
from tests.support import lab_nodes_gpus as gpus
from tests.support import lab_nodes_moved as moved
from tests.support import proxies
from tests.support.lab import Fleet, lab_name
from tests.support.lab_nodes import HOSTS, TWO, Nodes


@pytest.fixture(scope="package")
def nodes(state: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    """Two hosts with base and driver, and nothing of Kubernetes on them."""
    prerequisites.ensure(print)
    name, folder = f"{lab_name()}-nodes", tmp_path_factory.mktemp("nodes")
    try:
        hosts = [HostSpec.parse(f"{host}={machine}") for host, machine in HOSTS.items()]
        found = Nodes(Fleet(Lab.up(name, hosts, say=print, older_kubernetes=True), folder / "fleet.py"), folder)
        with pytest.MonkeyPatch.context() as patch:
            proxies.forget(patch)
            found.begin(HOSTS, base={}, **gpus.declared())
            moved.begin_for_both(found, TWO)
            assert found.fleet.deploy("base.py", "driver.py").failures() == []
            yield found
    finally:
        Lab.remove(name)
