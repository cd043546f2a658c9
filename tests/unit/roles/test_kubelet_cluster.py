"""Plans of the role kubelet beside its cluster: whose version is asked for, whose node is left behind and left."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gpufleet.kubernetes.drained import Occupancy
from gpufleet.kubernetes.server import Answer
from tests.support.driver_facts import without_noops
from tests.support.kubelet_world import KubeletWorld, kubelet_plan
from tests.support.plans import assert_plan

UBUNTU = "ubuntu-24.04"
JOIN = {"token": {"env": "TOKEN"}, "ca_hashes": {"env": "HASH"}}
BUSY = Occupancy(joined=True, cordoned=False, pods=("default/train-0",), sandboxes=3)
DRAINED = Occupancy(joined=True, cordoned=True, sandboxes=2)
#: What `--anonymous-auth=false` makes of a question by nobody.
UNAUTHORIZED = Answer(401, "", 0)
OLDER = dict.fromkeys(("kubelet", "kubeadm", "kubectl"), "1.36.2-1.1")


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "abcdef.0123456789abcdef")
    monkeypatch.setenv("HASH", f"sha256:{'0f' * 32}")


def planned(found: KubeletWorld, **changes: Any) -> str:
    given = {"version": "1.36.3", "api_server": "10.0.0.1:6443", "join": JOIN, **changes}
    return without_noops(kubelet_plan(found, {"kubelet": given}, UBUNTU))


def node(**given: Any) -> KubeletWorld:
    """A host after a first run, and what it has been given since."""
    found = KubeletWorld(mark="@-1")
    planned(found)
    installed = {**found.installed, **given.pop("installed", {})}
    return replace(found, installed=installed, **given)


def test_a_host_that_is_to_join_beside_an_unknown_version() -> None:
    found = KubeletWorld(mark="@-1", server=UNAUTHORIZED)
    assert_plan("kubelet", "refused_version_is_not_told", planned(found))
    assert (found.installed, found.files) == ({}, {})


def test_a_host_that_does_not_join_gets_no_kubelet_beside_an_unknown_version() -> None:
    found = KubeletWorld(mark="@-1", server=Answer(403, "", 0))
    assert "(HTTP status 403); set `api_server_version`" in planned(found, join=None)
    assert (found.installed, found.files) == ({}, {})


@pytest.mark.parametrize(
    ("server", "found"),
    [(UNAUTHORIZED, "an answer without it (HTTP status 401)"), (Answer(), "no answer")],
    ids=["401", "silence"],
)
def test_a_node_stays_as_it_is_beside_an_unknown_version(server: Answer, found: str) -> None:
    assert planned(node(server=server)) == ""
    text = planned(node(server=server, installed=OLDER))
    assert text.splitlines()[1:] == [
        "     printf '%s\\n' 'gpu-07: kubelet.api_server_version: expected the version of the API server at "
        f"10.0.0.1:6443, which decides what kubelet may work beside it, found {found}; set `api_server_version`, to "
        "what `kubectl version` says of the server' >&2; false",
        "     failed",
    ]


def test_a_declared_version_is_the_answer() -> None:
    found = KubeletWorld(mark="@-1", server=UNAUTHORIZED)
    planned(found, api_server_version="1.36.3")
    assert found.identity == "gpu-07"


def test_a_node_without_a_declared_server_asks_its_own() -> None:
    found = node(server=Answer(200, "1.35.4", 0))
    text = planned(found, api_server=None, join=None)
    assert "expected a kubelet no newer than the API server" in text
    assert planned(replace(found, server=Answer(200, "1.36.3", 0)), api_server=None, join=None) == ""
    unknown = planned(node(server=Answer(), installed=OLDER), api_server=None, join=None)
    assert "the version of the API server at the address in kubelet.conf, which" in unknown


def test_a_host_without_any_server_has_nobody_to_ask() -> None:
    found = KubeletWorld(mark="@-1", server=Answer())
    planned(found, api_server=None, join=None)
    assert "kubelet" in found.installed


@pytest.mark.parametrize(("preflight", "looks"), [(True, 1), (False, 0)])
def test_a_node_that_was_left_behind_matters_where_it_is_to_have_the_taint(preflight: bool, looks: int) -> None:
    text = planned(KubeletWorld(mark="@-1"), preflight=preflight)
    assert text.count("after a look for a node of that name") == looks


def test_a_reset_is_of_the_node_that_the_certificate_names() -> None:
    found = node(identity="gpu-08", occupancy=BUSY)
    assert_plan("kubelet", "absent_in_use_by_another_name", planned(found, state="absent"))
    assert found.identity == "gpu-08"
    text = planned(replace(found, occupancy=DRAINED), state="absent")
    assert text.count("kubeadm reset") == 1
