"""Plans of the role kubelet: from nothing to a node, second runs, changes, refusals, reset and a new join."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gpufleet.facts.kubelet import UNIT
from gpufleet.facts.kubelet_flags import FLAGS
from gpufleet.kubernetes.drained import Occupancy
from gpufleet.kubernetes.managers import Records
from gpufleet.kubernetes.server import Answer
from tests.support.driver_facts import without_noops
from tests.support.kubelet_world import STATIC, KubeletWorld, kubelet_plan
from tests.support.plans import assert_plan

ROLE, UBUNTU = "kubelet", "ubuntu-24.04"
TOKEN, HASH = "abcdef.0123456789abcdef", f"sha256:{'0f' * 32}"
DRAINED = Occupancy(joined=True, cordoned=True, sandboxes=2)
BUSY = Occupancy(joined=True, cordoned=False, pods=("default/train-0",), sandboxes=3)


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", TOKEN)
    monkeypatch.setenv("HASH", HASH)
    monkeypatch.setenv("KUBECONFIG_OF_NODES", "apiVersion: v1\nkind: Config\nusers: [secret]\n")


def data(**changes: Any) -> dict[str, Any]:
    join = {"token": {"env": "TOKEN"}, "ca_hashes": {"env": "HASH"}}
    given = {"version": "1.36.3", "api_server": "10.0.0.1:6443", "join": join, "place": {"rack": "a1"}}
    driver = {"version": "580.105.08", "source": "nvidia"}
    return {"nvidia_driver": driver, ROLE: {**given, **changes}}


def world(release: str = UBUNTU, **given: Any) -> KubeletWorld:
    is_el = release == "el-9"
    return KubeletWorld(**{"mark": "@-1" if is_el else "-1", "is_el": is_el, **given})


def node(**given: Any) -> KubeletWorld:
    """A host after a first run."""
    found = world()
    kubelet_plan(found, data(), UBUNTU)
    return replace(found, **given)


def planned(found: KubeletWorld, **changes: Any) -> str:
    return without_noops(kubelet_plan(found, data(**changes), UBUNTU))


@pytest.mark.parametrize("release", [UBUNTU, "debian-12", "el-9"])
def test_first_and_second_run(release: str) -> None:
    found = world(release)
    text = kubelet_plan(found, data(), release)
    assert_plan(ROLE, f"first_{release}", text)
    assert TOKEN not in text
    assert HASH not in text
    assert without_noops(kubelet_plan(found, data(), release)) == ""
    assert found.identity == "gpu-07"


def test_by_a_bootstrap_kubeconfig() -> None:
    text = planned(world(), join={"bootstrap_kubeconfig": {"env": "KUBECONFIG_OF_NODES"}}, node_name="node-7.rack-a")
    assert_plan(ROLE, "bootstrap_kubeconfig", text.partition("Kubelet | Join")[2])
    assert "secret" not in text


def test_a_node_needs_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    found = node()
    monkeypatch.delenv("TOKEN")
    assert planned(found) == ""
    text = planned(replace(found, identity=""))
    assert_plan(ROLE, "no_secret", text)


def test_other_options_restart_it() -> None:
    assert_plan(ROLE, "changed_options", planned(node(), max_pods=64))


def test_labels_follow_driver_and_place() -> None:
    found = node()
    given = data(place={"rail": "rail-1"}, labels={"team": "x"})
    given["nvidia_driver"]["version"] = "570.195.03"
    assert_plan(ROLE, "changed_labels", without_noops(kubelet_plan(found, given, UBUNTU)))
    assert without_noops(kubelet_plan(found, given, UBUNTU)) == ""
    assert found.labels == {
        "gpufleet.dev/driver": "570.195.03",
        "gpufleet.dev/driver-branch": "570",
        "gpufleet.dev/gpu-count": "8",
        "gpufleet.dev/gpu-model": "H100-SXM5-80GB",
        "gpufleet.dev/rail": "rail-1",
        "gpufleet.dev/verified-at": "2026-11-23T14-37-10Z",
        "kubernetes.io/hostname": "gpu-07",
        "team": "x",
    }
    assert without_noops(kubelet_plan(replace(found, labels=None), given, UBUNTU)) == ""


POLICY = {"managers": {"topology": "single-numa-node", "memory": "None"}}


def test_another_policy_on_a_drained_node() -> None:
    found = node(occupancy=DRAINED)
    assert_plan(ROLE, "changed_policy", planned(found, **POLICY))
    found.records = replace(found.records, topology="single-numa-node")
    assert planned(found, **POLICY) == ""


def test_another_policy_on_a_node_in_use() -> None:
    found = node(occupancy=BUSY)
    files = dict(found.files)
    text = planned(found, **POLICY)
    assert_plan(ROLE, "changed_policy_in_use", text)
    assert text.count("not reached") == text.count("Kubelet |") - 1
    assert found.files == files


def test_another_patch_release_on_a_node_in_use() -> None:
    found = node(occupancy=BUSY)
    found.installed |= dict.fromkeys(("kubelet", "kubeadm", "kubectl"), "1.36.2-1.1")
    found.stale.add(UNIT)
    assert_plan(ROLE, "patch_release", planned(found))


#: As kubeadm 1.34 writes it.
FLAGS_OF_BEFORE = (
    'KUBELET_KUBEADM_ARGS="--container-runtime-endpoint=unix:///run/containerd/containerd.sock '
    '--pod-infra-container-image=registry.k8s.io/pause:3.10.1 --hostname-override=gpu-07"\n'
)


def test_flags_that_the_kubelet_no_longer_has_go_before_it_starts() -> None:
    found = node(occupancy=DRAINED)
    found.installed |= dict.fromkeys(("kubelet", "kubeadm", "kubectl"), "1.34.9-1.1")
    found.files[FLAGS] = FLAGS_OF_BEFORE
    assert_plan(ROLE, "gone_flags", planned(found))
    assert found.files[FLAGS] == FLAGS_OF_BEFORE.replace(
        "--pod-infra-container-image=registry.k8s.io/pause:3.10.1 ", ""
    )
    assert planned(found) == ""


def test_flags_stay_where_nothing_is_gone() -> None:
    found = node()
    found.files[FLAGS] = FLAGS_OF_BEFORE.replace("--pod-infra-container-image=", "--another=")
    assert planned(found) == ""


PAGES = {"hugepages": 16384}


def test_huge_pages_on_a_node_in_use() -> None:
    found = node(occupancy=BUSY)
    files, settings = dict(found.files), dict(found.settings)
    assert_plan(ROLE, "huge_pages_in_use", planned(found, **PAGES))
    assert (found.files, found.settings) == (files, settings)


def test_huge_pages_on_a_drained_node() -> None:
    """The reservation stays as it was, and the second run, with the pages in force, has nothing to do."""
    found = node(occupancy=DRAINED)
    assert_plan(ROLE, "huge_pages", planned(found, **PAGES))
    huge = [node.huge for node in found.numa_nodes()]
    assert huge == [16 * 2**30] * 2
    tables = STATIC.memory.replace('"memoryMap":{', f'"memoryMap":{{"hugepages-2Mi":{{"total":{huge[0]}}},')
    found.records = replace(STATIC, memory=tables)
    assert planned(replace(found, occupancy=BUSY), **PAGES) == ""


def test_a_new_node_with_huge_pages_is_as_declared_after_one_run() -> None:
    found = world(nodes=2)
    text = kubelet_plan(found, data(**PAGES), UBUNTU)
    assert "vm.nr_hugepages = 16384" in text
    found.records = Records()
    assert planned(found, **PAGES) == ""


def test_more_numa_nodes_than_managers_work_with() -> None:
    found = world(nodes=34)
    assert_plan(ROLE, "refused_numa_nodes", planned(found))
    assert (found.installed, found.files) == ({}, {})


@pytest.mark.parametrize(("case", "occupancy"), [("minor_release", DRAINED), ("minor_release_in_use", BUSY)])
def test_another_minor_release(case: str, occupancy: Occupancy) -> None:
    found = node(occupancy=occupancy)
    found.installed |= dict.fromkeys(("kubelet", "kubeadm", "kubectl"), "1.35.6-1.1")
    assert_plan(ROLE, case, planned(found))


@pytest.mark.parametrize(
    ("case", "given", "changes"),
    [
        ("server_is_older", {"server": Answer(200, "1.35.4", 0)}, {}),
        ("server_is_too_new", {"server": Answer(200, "1.36.3", 0)}, {"version": "1.32.4"}),
        ("declared_server_is_older", {}, {"api_server_version": "1.35.4"}),
        ("server_is_silent", {"server": Answer()}, {}),
        ("clock_is_far_off", {"server": Answer(200, "1.36.3", -3600)}, {}),
        ("is_another_node", {"identity": "gpu-08"}, {}),
        ("processors", {}, {"reserved": {"cpus": "0-3,200"}}),
        ("memory", {}, {"reserved": {"numa": {0: "1Gi"}}}),
        ("threshold", {}, {"eviction": {"hard": {"memory.available": "5%"}}}),
        ("malformed_token", {}, {"join": {"token": {"env": "HASH"}, "ca_hashes": {"env": "HASH"}}}),
    ],
)
def test_refused(case: str, given: dict[str, Any], changes: dict[str, Any]) -> None:
    text = planned(world(**given), **changes)
    assert_plan(ROLE, f"refused_{case}", text)
    assert len(text.splitlines()) == 3


def test_a_node_works_on_while_its_server_is_silent() -> None:
    assert planned(node(server=Answer())) == ""


def test_containerd_too_old() -> None:
    given = {**data(), "stack": {"containerd": "1.7.24"}}
    assert_plan(ROLE, "refused_containerd", kubelet_plan(world(), given, UBUNTU))


def test_repository_without_kubeadm_of_this_version() -> None:
    found = world()
    offers = found.offered
    found.offered = lambda package: ["1.36.2-1.1"] if package == "kubeadm" else offers(package)  # type: ignore[method-assign]
    text = planned(found)
    assert_plan(ROLE, "no_such_kubeadm", text[text.index("Kubelet | Hold") :])
    assert found.installed.keys() == {"openssl"}


UNLIKE = {"kubelet": ["1.36.3-1.1"], "kubeadm": ["1.36.2-1.1", "1.36.1-1.1"], "kubectl": ["1.36.3-1.1"]}


@pytest.mark.parametrize(("case", "offered"), [("unlike_kubeadm", UNLIKE), ("no_such_release", {"kubelet": []})])
def test_refused_by_what_the_repository_offers(case: str, offered: dict[str, list[str]]) -> None:
    found = world(repository=offered)
    assert_plan(ROLE, f"refused_{case}", planned(found))
    assert (found.installed, found.files) == ({}, {})


def test_a_node_at_the_version_does_not_ask_the_repository() -> None:
    assert planned(node(repository=UNLIKE)) == ""


def test_without_a_way_to_join() -> None:
    text = kubelet_plan(world(), data(join=None), UBUNTU)
    assert_plan(ROLE, "no_join", text[text.index("Kubelet | Join") :])


def test_absent_and_joined_again() -> None:
    found = node(occupancy=DRAINED)
    assert_plan(ROLE, "absent", planned(found, state="absent"))
    assert planned(found, state="absent") == ""
    assert (found.identity, [*found.installed]) == ("", ["openssl"])
    assert [path for path in found.files if "kube" in path] == []
    planned(found)
    assert found.identity == "gpu-07"


def test_absent_on_a_node_in_use() -> None:
    assert_plan(ROLE, "absent_in_use", planned(node(occupancy=BUSY), state="absent"))
    assert planned(node(occupancy=BUSY), state="absent", undrained_reset=True).count("kubeadm reset") == 1


def test_host_without_the_key() -> None:
    assert_plan(ROLE, "no_key", kubelet_plan(world(), {}, UBUNTU))
