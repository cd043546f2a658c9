"""Checks of the role `kubelet`: the declared node, by the declared configuration, healthy, in its cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from gpufleet.facts.gpu_daemons import GpuDaemonState
from gpufleet.facts.kubelet import CERTIFICATE, DROP_IN, UNIT, ManagerRecords, NodeLabels, NodeTraces
from gpufleet.facts.numa import NumaNodes, OnlineCpus
from gpufleet.facts.swap import SwapState
from gpufleet.health import Probe, unproven
from gpufleet.kubernetes.labels import COMPUTED
from gpufleet.kubernetes.managers import outdated
from gpufleet.stack.kubernetes_choice import BESIDE, VERSIONED
from roles.kubelet.decisions import beside, node_labels
from roles.kubelet.options import Kubelet
from roles.kubelet.steps import MODULES, SETTINGS
from tests.verify import kubelet_readings
from tests.verify.companion_readings import Companion, Declared
from tests.verify.cuda_readings import Record, machine, not_held
from tests.verify.kubelet_readings import LEAST_LEFT, Node

PROBE = kubelet_readings.PROBE
PROBE_TIMEOUT = 40


@pytest.fixture
def found(probe: Probe, declared: Declared) -> Companion:
    """Read the packages and the unit."""
    return Companion.read(probe, declared, Kubelet.key, "kubernetes")


@pytest.fixture
def node(probe: Probe, declared: Declared, data: Mapping[str, Any]) -> Node | None:
    """Read a host that is to be a node; None of any other."""
    options: Kubelet | None = declared(Kubelet) if data.get(Kubelet.key) is not None else None
    return Node(options, probe, declared(Record).name) if options and options.state == "present" else None


@pytest.fixture
def member(node: Node | None) -> Node | None:
    """Read a host that is in its cluster; None of one that only gets its packages."""
    return node if node and node.identity else None


def test_stack_fits(found: Companion) -> None:
    said = found.says_what_does_not_fit()
    assert not said, f"Kubernetes: expected a stack that fits, found {said}"


def test_packages_are_the_chosen_version(found: Companion) -> None:
    said = found.says_versions()
    assert not said, f"Kubernetes: {said}"


def test_packages_are_held(found: Companion) -> None:
    loose = not_held(found.probe, found.wanted)
    assert not loose, f"Kubernetes: expected all held, found {', '.join(loose)} not held"


def test_programs_are_one_version(node: Node | None) -> None:
    if node:
        wanted = dict.fromkeys(("kubelet", "kubeadm"), node.options.version)
        assert node.programs == wanted, f"Kubernetes: expected {wanted}, found {node.programs}"


def test_modules_are_loaded(node: Node | None) -> None:
    if node:
        loaded = {name.replace("-", "_") for name in (*node.probe["modules"].lines, *node.probe["built in"].lines)}
        missing = [name for name in node.options.modules if name.replace("-", "_") not in loaded]
        assert not missing, f"kernel modules: expected {node.options.modules} loaded, found no {missing}"


def test_modules_load_at_boot(node: Node | None) -> None:
    if node:
        lines = node.probe["modules at boot"].lines
        assert lines == node.options.modules, f"/{MODULES}: expected {node.options.modules}, found {lines}"


def test_settings_are_in_force(node: Node | None) -> None:
    if node:
        live, wanted = node.settings("settings"), node.options.sysctl_text
        at_boot = node.settings("settings at boot")
        assert at_boot == wanted, f"/{SETTINGS}: expected {wanted}, found {at_boot}"
        wrong = {key: value for key, value in live.items() if value != wanted[key]}
        assert not wrong, f"kernel settings: expected {[f'{key} = {wanted[key]}' for key in wrong]}, found {wrong}"
        if missing := sorted(wanted.keys() - live.keys()):
            unproven(f"kernel settings: expected every declared key, found no {', '.join(missing)} on this kernel")


def test_swap_is_as_declared(node: Node | None) -> None:
    if node and node.options.swap == "off":
        swap = SwapState().process(node.probe["swap"].lines)
        assert not swap.active, f"swap: expected none in use, found {', '.join(swap.active)}"


def test_host_is_the_declared_node(node: Node | None) -> None:
    if node:
        if not node.identity and node.options.join is None:
            unproven(f"node: expected {node.name}, found a host that joined no cluster, and no way to join declared")
        assert node.identity == node.name, f"node: expected {node.name}, found {node.identity or 'no node'}"


def test_service_runs(found: Companion, member: Node | None) -> None:
    said = found.says_unit(UNIT, "active and enabled") if member else ""
    assert not said, f"{UNIT}: {said}"


def test_kubelet_is_healthy(member: Node | None) -> None:
    said = member.probe["healthz"].text if member else "ok"
    assert said == "ok", f"kubelet: expected ok of its healthz, found {said or 'no answer'}"


def test_configuration_is_as_declared(node: Node | None) -> None:
    if node:
        wanted, lines = node.wanted.text().splitlines(), node.probe["configuration"].lines
        differing = [f"no {line.strip()!r}" for line in wanted if line not in lines]
        differing += [repr(line.strip()) for line in lines if line not in wanted]
        said = ", ".join(differing) or "another order"
        assert lines == wanted, f"{DROP_IN}: expected the declared configuration, found {said}"


def test_configuration_is_read(member: Node | None) -> None:
    if member:
        daemon = GpuDaemonState().process(member.probe["daemon"].lines)
        assert not daemon.is_stale, f"{UNIT}: expected it started after its files changed, found it started before"
        assert not daemon.is_unread, f"{UNIT}: expected systemd to work by its unit files, found them changed since"


def test_managers_are_in_force(member: Node | None) -> None:
    """The running kubelet writes its policies down; the API server tells only others the whole configuration."""
    if member:
        wanted = {"CPU": member.wanted.cpu_manager_policy, "memory": member.wanted.memory_manager_policy}
        assert member.policies == wanted, f"managers: expected policies {wanted}, found {member.policies}"
        records = ManagerRecords().process(member.probe["records"].lines)
        nodes, online = NumaNodes().process(member.probe["numa"].lines), member.probe["online"].lines
        stale = outdated(member.wanted, records, nodes, OnlineCpus().process(online))
        assert not stale, f"managers: expected records of the declared reservations, found {stale}"


def test_labels_are_as_declared(found: Companion, member: Node | None) -> None:
    if member and found.chosen:
        live = NodeLabels().process(member.probe["labels"].lines)
        if live is None:
            unproven("labels: expected the API server to say them to the node, found no answer")
        wanted = node_labels(member.options, machine(member.probe).hardware.gpus, found.chosen)
        wrong = {key: live.get(key, "none") for key, value in wanted.items() if live.get(key) != value}
        wrong |= {key: live[key] for key in COMPUTED if key in live and key not in wanted}
        expected = {key: wanted.get(key, "none") for key in wrong}
        assert not wrong, f"labels: expected {expected}, found {wrong}"


def test_certificate_rotates(member: Node | None) -> None:
    if member:
        left = member.certificate_left
        assert left is not None, f"{CERTIFICATE}: expected a certificate, found none that openssl reads"
        expected = f"at least {LEAST_LEFT:.0%} of its life left, as the kubelet asks for another before"
        assert left >= LEAST_LEFT, f"{CERTIFICATE}: expected {expected}, found {max(left, 0):.0%}"


def test_api_server_answers(member: Node | None) -> None:
    status = member.server.status if member else 200
    assert status, "API server: expected an answer to this host, found none"


def test_kubelet_suits_the_api_server(member: Node | None) -> None:
    if member:
        version = member.server.version
        if not version:
            unproven("API server: expected its version, found that it does not tell this node")
        said = "; ".join(map(str, beside(str(member.options.version), version)))
        assert not said, f"kubelet: expected one that suits API server {version}, found {said}"


def test_clock_agrees(member: Node | None) -> None:
    ahead = member.server.ahead if member else None
    if member and ahead is not None:
        tolerance = member.options.clock_tolerance
        assert abs(ahead) <= tolerance, (
            f"clock: expected the API server's time, give or take {tolerance} s, found {ahead:+} s"
        )


def test_nothing_where_none_belongs(found: Companion, node: Node | None, data: Mapping[str, Any]) -> None:
    if node is None and data.get(Kubelet.key) is not None:
        said = found.says_leftovers(UNIT, [*VERSIONED, *BESIDE])
        left = NodeTraces().process(found.probe["traces"].lines)
        left += [DROP_IN] if found.probe["configuration"].lines else []
        assert not said, f"Kubernetes: {said}"
        assert not left, f"Kubernetes: expected nothing of it, found {', '.join(left)}"
