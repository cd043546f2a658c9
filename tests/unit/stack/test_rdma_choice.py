"""The network stack for RDMA: who provides it, where it comes from, and what cannot be had."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gpufleet.stack.machine import System
from gpufleet.stack.resolution import Package, RdmaChoice
from gpufleet.stack.resolve import resolve
from gpufleet.stack.wish import Wish
from tests.unit.stack.wishes import DEBIAN_12, DEBIAN_13, EL_9, EL_10, HGX, MATRIX, UBUNTU

OWN = "the distribution's own stack has all that is needed here"
WISHED = "DOCA-OFED is wished for"
MADE_FOR = "debian-12, el-8, el-9, ubuntu-22.04, ubuntu-24.04"
PINNED = {"driver": "580", "source": "nvidia", "fabric_manager": "auto", "rdma": "auto"}


@pytest.mark.parametrize(
    ("system", "wish", "expected"),
    [
        (UBUNTU, {"rdma_stack": "auto"}, ("inbox", "inbox", OWN)),
        (DEBIAN_13, {"rdma_stack": "auto"}, ("inbox", "inbox", OWN)),
        (UBUNTU, {"rdma_stack": "inbox"}, ("inbox", "inbox", "the distribution's own stack is wished for")),
        (UBUNTU, {"rdma_stack": "doca"}, ("doca", "3.2.3", WISHED)),
        (EL_9, {"rdma_stack": "doca"}, ("doca", "3.2.2", WISHED)),
        (DEBIAN_12, {"rdma_stack": "doca"}, ("doca", "3.2.1", WISHED)),
        (UBUNTU, {"rdma_stack": "doca", "ofed": "3.2.2"}, ("doca", "3.2.2", "release 3.2.2 is wished for")),
        (UBUNTU, {"rdma_stack": "auto", "ofed": "3.2.3"}, ("doca", "3.2.3", "release 3.2.3 is wished for")),
        # Proprietary modules know no DMA-BUF, and only Ubuntu's own ib_core has peer memory.
        (UBUNTU, {**PINNED, "flavor": "proprietary", "rdma_stack": "auto"}, ("inbox", "inbox", OWN)),
        (
            EL_9,
            {**PINNED, "flavor": "proprietary", "rdma_stack": "auto"},
            ("doca", "3.2.2", "peer memory is needed, which the kernel of el-9 has not"),
        ),
        (EL_9, {**PINNED, "flavor": "open", "rdma_stack": "auto"}, ("inbox", "inbox", OWN)),
    ],
)
def test_choice(system: System, wish: dict[str, Any], expected: tuple[str, str, str]) -> None:
    found = resolve(HGX, system, Wish.model_validate(wish), MATRIX)
    assert found.errors == ()
    assert found.rdma is not None
    assert (found.rdma.provider, found.rdma.version, found.rdma.reason) == expected


def test_whole_choice_of_doca() -> None:
    found = resolve(HGX, EL_9, Wish(rdma_stack="doca"), MATRIX)
    old = tuple(f"mlnx-ofed-{name}*" for name in ("all", "basic", "hpc", "dpdk", "guest"))
    assert found.rdma == RdmaChoice(
        "doca", "3.2.2", old, ("mlnx-ofa_kernel", "iser", "isert", "srp"), "DOCA-OFED is wished for"
    )
    assert found.packages == (Package("rdma", "doca-ofed", "3.2.2", "DOCA-OFED is wished for"),)
    (repository,) = found.repositories
    assert (repository.name, repository.path) == ("doca", "public/repo/doca/3.2.2/rhel9/x86_64/")
    assert (repository.excluded, repository.pins, repository.prevails) == (("dkms",), (), True)


@pytest.mark.parametrize(("release", "key"), [("3.2.2", "GPG-KEY-Mellanox.pub"), ("3.2.3", "doca_keyring.gpg")])
def test_the_key_goes_with_the_release(release: str, key: str) -> None:
    (repository,) = resolve(HGX, UBUNTU, Wish(rdma_stack="doca", ofed=release), MATRIX).repositories
    assert repository.key == key
    assert repository.pins == ('origin "linux.mellanox.com"', "release l=DOCA-HOST*")


def test_doca_and_the_driver_come_from_two_repositories() -> None:
    found = resolve(HGX, UBUNTU, Wish.model_validate({**PINNED, "rdma_stack": "doca"}), MATRIX)
    assert [(row.name, row.prevails) for row in found.repositories] == [("cuda", False), ("doca", True)]


def test_what_fabric_manager_needs_too_is_its_own() -> None:
    machine = replace(HGX, gpus=("2901",) * 8, nvswitches=0, nvlink5=True)
    found = resolve(machine, UBUNTU, Wish.model_validate({**PINNED, "rdma_stack": "inbox"}), MATRIX)
    owners = [package.component for package in found.packages if package.name == "infiniband-diags"]
    assert owners == ["nvlsm"]


@pytest.mark.parametrize("wish", [{"rdma_stack": "auto"}, {"rdma_stack": "doca"}])
def test_nothing_without_adapters(wish: dict[str, Any]) -> None:
    found = resolve(replace(HGX, rdma_adapters=0), UBUNTU, Wish.model_validate(wish), MATRIX)
    assert (found.rdma, found.packages, found.repositories) == (None, (), ())
    assert found.reasons["rdma"] == "no RDMA adapter on the PCI bus"


def test_nothing_without_a_role() -> None:
    assert resolve(HGX, UBUNTU, Wish(ofed="3.2.3"), MATRIX).rdma is None


@pytest.mark.parametrize("adapters", [0, 8])
@pytest.mark.parametrize(
    ("system", "wish", "message"),
    [
        (
            DEBIAN_13,
            {"rdma_stack": "doca"},
            f"error: rdma_stack: expected inbox, as DOCA-OFED is made for {MADE_FOR}, found doca on debian-13; set "
            "provider to inbox for the distribution's own rdma-core (row ofed 3.2.3; ",
        ),
        (
            EL_10,
            {"rdma_stack": "doca"},
            f"error: rdma_stack: expected inbox, as DOCA-OFED is made for {MADE_FOR}, found doca on el-10; set "
            "provider to inbox for the distribution's own rdma-core (row ofed 3.2.3; ",
        ),
        (
            UBUNTU,
            {"rdma_stack": "inbox", "ofed": "3.2.3"},
            "error: ofed: expected a release of inbox, as the provider says, found doca 3.2.3; correct one of the two "
            "(row ofed 3.2.3; ",
        ),
        (
            UBUNTU,
            {"rdma_stack": "auto", "ofed": "24.10-4.1.4.0"},
            "error: ofed: expected inbox or a release of DOCA-OFED, which followed MLNX_OFED, found mlnx_ofed "
            "24.10-4.1.4.0; leave ofed out, or name one (row ofed 24.10-4.1.4.0; ",
        ),
        (
            EL_9,
            {"rdma_stack": "doca", "ofed": "9.9"},
            "error: ofed: expected a release made for el-9: inbox, 3.2.1, 3.2.2, 24.10-4.1.4.0, found '9.9'; choose "
            "one of them, or add a row of your own beside the inventory (row rule versions; ",
        ),
    ],
)
def test_refused(system: System, wish: dict[str, Any], message: str, adapters: int) -> None:
    found = resolve(replace(HGX, rdma_adapters=adapters), system, Wish.model_validate(wish), MATRIX)
    (error,) = found.errors
    assert str(error) == f"{message}{error.source})"
    assert (found.packages, found.repositories, found.rdma) == ((), (), None)


def test_refused_without_a_repository() -> None:
    found = resolve(HGX, replace(EL_9, arch="riscv64"), Wish(rdma_stack="doca"), MATRIX)
    assert [str(error) for error in found.errors] == [
        "error: system: expected a system that NVIDIA has a repository for, as DOCA-OFED 3.2.2 comes from there: "
        "debian-12 x86_64, el-8 x86_64, el-9 aarch64, el-9 x86_64, ubuntu-22.04 aarch64, ubuntu-22.04 x86_64, "
        "ubuntu-24.04 aarch64, ubuntu-24.04 x86_64, found el-9 riscv64; install one of them, or add the repository's "
        "row beside the inventory (row rule repositories of NVIDIA; gpufleet/stack/matrix/repositories.yaml)"
    ]
