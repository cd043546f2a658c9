"""The rows behind a resolution: every package that the resolver names leads back to one."""

from __future__ import annotations

from typing import Any

import pytest

from gpufleet.stack.evidence import Evidence
from gpufleet.stack.machine import Hardware, System
from gpufleet.stack.matrix import load
from gpufleet.stack.resolution import Package, Unpacked
from gpufleet.stack.resolve import resolve
from gpufleet.stack.wish import Wish

HGX = Hardware(("2330",) * 8, nvswitches=4, rdma_adapters=8)
WISH = {"driver": "580", "source": "nvidia", "fabric_manager": "auto", "dcgm": "auto", "cuda": ["12.9", "13.0"]}
CONTAINERD, NEWER = {"containerd": "auto", "containerd_source": "vendor"}, {"containerd": "2.3.99"}

NODE = {"kubernetes": "1.36.3", "kubelet": "1.36.3"}


@pytest.mark.parametrize("system", [System("ubuntu", "24.04"), System("debian", "12"), System("rocky", "9.6")])
@pytest.mark.parametrize(
    "more",
    [{}, {"nccl": "auto"}, {"profile": "full"}, {"flavor": "proprietary"}, CONTAINERD, {**CONTAINERD, **NEWER}, NODE],
)
def test_every_package_has_its_row(system: System, more: dict[str, Any]) -> None:
    wish = Wish.model_validate({**WISH, **more})
    resolution = resolve(HGX, system, wish, load())
    assert resolution.driver, [str(verdict) for verdict in resolution.errors]
    evidence = Evidence(load(), system, wish, resolution.driver)
    packages: list[Package | Unpacked] = [*resolution.driver.packages, *resolution.packages, *resolution.unpacked]
    assert [package.name for package in packages if evidence.package(package) is None] == []
    assert evidence.release() is not None
    assert all(evidence.repository(repository.name) for repository in resolution.repositories)


def test_what_no_row_knows_has_none() -> None:
    evidence = Evidence(load(), System("ubuntu", "24.04"), Wish.model_validate({}), None)
    packages = [Package("driver", "x"), Package("dcgm", "x"), Package("cuda", "x"), Package("nccl", "x", "newest")]
    assert [evidence.package(package) for package in packages] == [None] * 4
    assert evidence.release() is None
