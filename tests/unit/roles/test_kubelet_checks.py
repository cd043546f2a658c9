"""Every check of the role kubelet, seen passing and failing."""

from __future__ import annotations

from typing import Any

import pytest

from gpufleet.facts.kubelet import CERTIFICATE, DROP_IN, UNIT
from gpufleet.kubernetes.memory import NumaNode
from roles.kubelet.decisions import configuration
from roles.kubelet.options import Kubelet
from roles.kubelet.steps import MODULES, SETTINGS
from tests.support.check_runs import Answer, outcomes
from tests.verify import test_kubelet as module

GIVEN: dict[str, Any] = {"version": "1.36.3", "api_server": "10.0.0.1:6443", "place": {"rack": "a1"}}
JOIN = {"join": {"bootstrap_kubeconfig": {"env": "X"}}}
DATA, GONE = {"kubelet": {**GIVEN, **JOIN}}, {"kubelet": {"state": "absent"}}
OPTIONS = Kubelet.model_validate(GIVEN)
GIBIBYTE = 1024**3
TEXT = configuration(OPTIONS, [NumaNode(0, 512 * GIBIBYTE), NumaNode(1, 512 * GIBIBYTE)]).text()
SET = "\n".join(f"{key} = {value}" for key, value in OPTIONS.sysctl_text.items())
PACKAGES = {
    "cri-tools": "1.36.0-1.1",
    "kubeadm": "1.36.3-1.1",
    "kubectl": "1.36.3-1.1",
    "kubelet": "1.36.3-1.1",
    "kubernetes-cni": "1.9.1-1.1",
}
ACTIVE = "LoadState=loaded\nActiveState=active\nUnitFileState=enabled"
RESERVED = '"memoryMap":{"memory":{"total":549755813888,"systemReserved":1610612736}}'
#: What openssl 3.0, kubelet 1.36.3 and systemd print, names and dates aside; 1795442400 is 2026-11-23 14:00:00.
GOOD = {
    "machine": "os ID=ubuntu\nos VERSION_ID=24.04\narch x86_64\nkernel 6.8.0-60-generic",
    "packages": "\n".join(f"installed {name} {version}" for name, version in PACKAGES.items()),
    "held": "\n".join(f"hold {name}" for name in PACKAGES),
    "loaded": "",
    "modules": "br_netfilter\nnvidia",
    "built in": "overlay",
    "reboot": "",
    f"unit {UNIT}": f"{ACTIVE}\nAfter=\nBefore=",
    f"own files {UNIT}": "/etc/systemd/system/kubelet.service.d/20-gpufleet.conf",
    "daemon": f"{ACTIVE}\nActiveEnterTimestamp=Mon 2026-11-23 14:00:00 UTC\nNeedDaemonReload=no\nDropInPaths=/a\n"
    "DropIn=/a\nChanged=1795442399",
    "versions": "kubelet Kubernetes v1.36.3\nkubeadm v1.36.3",
    "configuration": TEXT.strip(),
    "identity": "joined\nsubject=O = system:nodes, CN = system:node:gpu-07",
    "healthz": "ok",
    "certificate": "1795442400\nnotBefore=Nov 23 13:00:00 2026 GMT\nnotAfter=Nov 23 13:00:00 2027 GMT",
    "records": 'cpu_manager_state {"policyName":"static","defaultCpuSet":"0-127","checksum":1}\n'
    f'memory_manager_state {{"policyName":"Static","machineState":{{"0":{{{RESERVED}}},"1":{{{RESERVED}}}}}}}\n'
    "topology best-effort",
    "numa": "0 memory 536870912\n0 cpus 0-63\n1 memory 536870912\n1 cpus 64-127",
    "online": "0-127",
    "server": '1795442400\nHTTP/1.0 200 OK\nDate: Mon, 23 Nov 2026 14:00:00 GMT\n\n{"gitVersion": "v1.36.3"}',
    "modules at boot": "overlay\nbr_netfilter",
    "settings at boot": SET,
    "settings": SET,
    "swap": "",
    "traces": "/etc/kubernetes/kubelet.conf",
    "labels": "said\nkubernetes.io/hostname gpu-07\ngpufleet.dev/rack a1",
}
OFF = "LoadState=not-found\nActiveState=inactive\nUnitFileState=\nAfter=\nBefore="
NONE = {**dict.fromkeys(GOOD, ""), "machine": GOOD["machine"], f"unit {UNIT}": OFF}
OUTSIDE = {**GOOD, "identity": "", "healthz": "", "records": "", "certificate": "", "server": "1795442400"}


def changed(section: str, old: str, new: str) -> dict[str, str]:
    assert old in GOOD[section]
    return {section: GOOD[section].replace(old, new)}


@pytest.mark.parametrize(("answers", "data"), [(GOOD, DATA), (NONE, {}), (GOOD, {}), (NONE, GONE)])
def test_as_declared(answers: dict[str, str], data: dict[str, Any]) -> None:
    assert outcomes(module, answers, data, Answer()) == {}


def test_a_host_that_is_to_join_by_other_hands() -> None:
    assert outcomes(module, OUTSIDE, {"kubelet": GIVEN}, Answer()) == {
        "host_is_the_declared_node": "unproven: node: expected gpu-07, found a host that joined no cluster, and no way "
        "to join declared"
    }


OTHERS = "the machine had other processors, or others were reserved"
POLICIES = "{'CPU': 'static', 'memory': 'Static'}"


@pytest.mark.parametrize(
    ("changes", "failing"),
    [
        (
            changed("packages", "kubeadm 1.36.3-1.1", "kubeadm 1.36.2-1.1"),
            {
                "packages_are_the_chosen_version": "Kubernetes: expected cri-tools, kubernetes-cni, kubelet=1.36.3, "
                "kubeadm=1.36.3, kubectl=1.36.3, found kubeadm 1.36.2-1.1"
            },
        ),
        (
            changed("held", "hold kubernetes-cni", "install kubernetes-cni"),
            {"packages_are_held": "Kubernetes: expected all held, found kubernetes-cni not held"},
        ),
        (
            changed("versions", "kubeadm v1.36.3", "kubeadm sh: 1: kubeadm: not found"),
            {
                "programs_are_one_version": "Kubernetes: expected {'kubelet': '1.36.3', 'kubeadm': '1.36.3'}, found "
                "{'kubelet': '1.36.3', 'kubeadm': 'sh: 1: kubeadm: not found'}"
            },
        ),
        (
            {"built in": ""},
            {"modules_are_loaded": "kernel modules: expected ['overlay', 'br_netfilter'] loaded, found no ['overlay']"},
        ),
        (
            {"modules at boot": "overlay"},
            {"modules_load_at_boot": f"/{MODULES}: expected ['overlay', 'br_netfilter'], found ['overlay']"},
        ),
        (
            changed("settings", "vm.panic_on_oom = 0", "vm.panic_on_oom = 1"),
            {
                "settings_are_in_force": "kernel settings: expected ['vm.panic_on_oom = 0'], "
                "found {'vm.panic_on_oom': '1'}"
            },
        ),
        (
            {"settings at boot": ""},
            {"settings_are_in_force": f"/{SETTINGS}: expected {OPTIONS.sysctl_text}, found {{}}"},
        ),
        (
            changed("settings", "vm.panic_on_oom = 0", ""),
            {
                "settings_are_in_force": "unproven: kernel settings: expected every declared key, found no "
                "vm.panic_on_oom on this kernel"
            },
        ),
        (
            {"swap": "active /dev/sda2 partition 1048572 0 -2"},
            {"swap_is_as_declared": "swap: expected none in use, found /dev/sda2"},
        ),
        (
            changed("identity", "gpu-07", "gpu-08"),
            {"host_is_the_declared_node": "node: expected gpu-07, found gpu-08"},
        ),
        ({"identity": ""}, {"host_is_the_declared_node": "node: expected gpu-07, found no node"}),
        (
            changed(f"unit {UNIT}", "=enabled", "=disabled"),
            {"service_runs": "kubelet.service: expected active and enabled, found active and disabled"},
        ),
        ({"healthz": ""}, {"kubelet_is_healthy": "kubelet: expected ok of its healthz, found no answer"}),
        (
            changed("configuration", "maxPods: 110", "maxPods: 250"),
            {
                "configuration_is_as_declared": f"{DROP_IN}: expected the declared configuration, "
                "found no 'maxPods: 110', 'maxPods: 250'"
            },
        ),
        (
            changed("daemon", "Changed=1795442399", "Changed=1795442401"),
            {
                "configuration_is_read": "kubelet.service: expected it started after its files changed, "
                "found it started before"
            },
        ),
        (
            changed("daemon", "NeedDaemonReload=no", "NeedDaemonReload=yes"),
            {
                "configuration_is_read": "kubelet.service: expected systemd to work by its unit files, "
                "found them changed since"
            },
        ),
        (
            changed("records", '"policyName":"static"', '"policyName":"none"'),
            {
                "managers_are_in_force": f"managers: expected policies {POLICIES}, "
                "found {'CPU': 'none', 'memory': 'Static'}"
            },
        ),
        (
            changed("records", "1610612736", "1073741824"),
            {
                "managers_are_in_force": "managers: expected records of the declared reservations, "
                "found {'memory_manager_state': 'other memory was reserved'}"
            },
        ),
        (
            changed("records", '"defaultCpuSet":"0-127"', '"defaultCpuSet":"0-126"'),
            {
                "managers_are_in_force": "managers: expected records of the declared reservations, found "
                f"{{'cpu_manager_state': '{OTHERS}'}}"
            },
        ),
        (
            {"records": ""},
            {
                "managers_are_in_force": f"managers: expected policies {POLICIES}, "
                "found {'CPU': 'none said', 'memory': 'none said'}"
            },
        ),
        (
            changed("certificate", "notAfter=Nov 23 13:00:00 2027", "notAfter=Nov 23 14:03:00 2026"),
            {
                "certificate_rotates": f"{CERTIFICATE}: expected at least 8% of its life left, as the kubelet asks for "
                "another before, found 5%"
            },
        ),
        (
            changed("certificate", "notAfter=Nov 23 13:00:00 2027", "notAfter=Nov 23 13:30:00 2026"),
            {
                "certificate_rotates": f"{CERTIFICATE}: expected at least 8% of its life left, as the kubelet asks for "
                "another before, found 0%"
            },
        ),
        (
            {"labels": "said\ngpufleet.dev/rack a2\ngpufleet.dev/driver 570.195.03\nteam x"},
            {
                "labels_are_as_declared": "labels: expected {'gpufleet.dev/rack': 'a1', "
                "'gpufleet.dev/driver': 'none'}, found {'gpufleet.dev/rack': 'a2', 'gpufleet.dev/driver': '570.195.03'}"
            },
        ),
        (
            {"labels": ""},
            {
                "labels_are_as_declared": "unproven: labels: expected the API server to say them to the node, "
                "found no answer"
            },
        ),
        (
            {"certificate": "1795442400\nCould not open file"},
            {"certificate_rotates": f"{CERTIFICATE}: expected a certificate, found none that openssl reads"},
        ),
        (
            {"server": "1795442400"},
            {
                "api_server_answers": "API server: expected an answer to this host, found none",
                "kubelet_suits_the_api_server": "unproven: API server: expected its version, "
                "found that it does not tell this node",
            },
        ),
        (
            changed("server", "v1.36.3", "v1.35.4"),
            {
                "kubelet_suits_the_api_server": "kubelet: expected one that suits API server 1.35.4, found error: "
                "kubelet: expected a kubelet no newer than the API server's 1.35.4, found kubelet 1.36.3; upgrade the "
                'control plane first (row kubernetes 1.35; https://kubernetes.io/releases/ and "Version Skew Policy" '
                'there; containerd RELEASES.md, "Kubernetes Support")'
            },
        ),
        (
            changed("server", "14:00:00", "13:00:00"),
            {"clock_agrees": "clock: expected the API server's time, give or take 60 s, found +3600 s"},
        ),
    ],
)
def test_deviations(changes: dict[str, str], failing: dict[str, str]) -> None:
    assert outcomes(module, {**GOOD, **changes}, DATA, Answer()) == failing


def test_a_stack_that_does_not_fit() -> None:
    given = {**DATA, "stack": {"containerd": "1.7.24"}}
    said = outcomes(module, GOOD, given, Answer())
    assert said["stack_fits"].startswith(
        "Kubernetes: expected a stack that fits, found error: containerd: expected containerd 2.2.0 or newer for "
        "kubelet 1.36.3, found containerd 1.7.24; choose a newer containerd (row kubernetes 1.36; "
    )


def test_leftovers() -> None:
    found = {**NONE, "traces": "/var/lib/kubelet/pki"}
    assert outcomes(module, found, GONE, Answer()) == {
        "nothing_where_none_belongs": "Kubernetes: expected nothing of it, found /var/lib/kubelet/pki"
    }
    found = {**NONE, "packages": "installed kubectl 1.36.3-1.1"}
    assert outcomes(module, found, GONE, Answer()) == {
        "nothing_where_none_belongs": "Kubernetes: expected nothing of it, found kubectl"
    }


def test_every_check_was_seen_failing() -> None:
    marks = test_deviations.pytestmark  # type: ignore[attr-defined]
    failing = {name for _, messages in marks[0].args[1] for name in messages}
    elsewhere = {"nothing_where_none_belongs", "stack_fits"}
    assert failing | elsewhere == {name.removeprefix("test_") for name in vars(module) if name.startswith("test_")}
