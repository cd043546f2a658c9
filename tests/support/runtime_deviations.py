"""How a host with containerd deviates from what is declared, and the messages of the checks that fail then."""

from __future__ import annotations

from gpufleet.containers.schema import ROOT_FILE
from roles.container_runtime.steps import DROP_IN, SOCKET
from tests.support.runtime_answers import GOOD, LESS, MIRROR, NVIDIA, ROOT, answer, changed

DEVIATIONS: list[tuple[dict[str, str], dict[str, str]]] = [
    (
        changed("packages", "2.2.6-1", "2.3.6-1"),
        {
            "packages_are_the_chosen_version": "containerd: expected containerd.io=2.2.6, "
            "containernetworking-plugins, found containerd.io 2.3.6-1~debian.13~trixie"
        },
    ),
    ({"held": ""}, {"packages_are_held": "containerd: expected all held, found containerd.io not held"}),
    (
        {"packages": f"{GOOD['packages']}\ninstalled runc 1.1.15+ds1-2+b4"},
        {"no_other_source_is_installed": "containerd: expected one source of it, found runc too"},
    ),
    (
        changed("daemon", "ActiveState=active", "ActiveState=failed"),
        {"service_runs": "containerd.service: expected active and enabled, found failed and enabled"},
    ),
    (
        {"changed": "Changed=1995415000"},
        {
            "it_runs_on_the_files_on_disk": "containerd.service: expected it to run on the files on disk, found "
            "files that changed after its start"
        },
    ),
    (
        changed("daemon", "NeedDaemonReload=no", "NeedDaemonReload=yes"),
        {
            "it_runs_on_the_files_on_disk": "containerd.service: expected it to run on the files on disk, found "
            "unit files that systemd has not read"
        },
    ),
    (
        changed("server", "Server:\n  Version:  2.2.6", "Server:\n  Version:  2.2.5"),
        {"the_release_that_runs": "containerd: expected 2.2.6 to answer, found 2.2.5"},
    ),
    (
        {"server": "ctr: failed to dial: no such file"},
        {"the_release_that_runs": "containerd: expected 2.2.6 to answer, found ctr: failed to dial: no such file"},
    ),
    (
        {"trial": answer({ROOT_FILE: ROOT.replace("pause:3.10.2", "pause:3.9")})},
        {
            "configuration_is_as_declared": f"{ROOT_FILE}: expected the declared file, found no "
            "'sandbox = \"registry.k8s.io/pause:3.10.2\"'"
        },
    ),
    (
        {"trial": answer({ROOT_FILE: f"{ROOT}# more\n"})},
        {"configuration_is_as_declared": f"{ROOT_FILE}: expected the declared file, found more than that"},
    ),
    (
        {"trial": answer({ROOT_FILE: ROOT, NVIDIA: "version = 2\n"})},
        {
            "configuration_is_in_force": f"containerd.service: {NVIDIA}:1: expected version = 3, as {ROOT_FILE} "
            "has, found version = 2; write the drop-in for that version: containerd would not start, or leave "
            "settings out unsaid"
        },
    ),
    (
        changed("plugins", "cri                      linux/amd64       ok", "cri     linux/amd64       error"),
        {
            "kubelet_is_served": "containerd: expected its plugins for the kubelet ok, found "
            "{'io.containerd.grpc.v1.cri': 'error'}"
        },
    ),
    (
        {"plugins": ""},
        {
            "kubelet_is_served": "containerd: expected its plugins for the kubelet ok, found "
            "{'io.containerd.grpc.v1.cri': 'not there'}"
        },
    ),
    (
        changed("unit file", "LimitNOFILE=1048576", "LimitNOFILE=1024"),
        {"limits_are_written": f"/{DROP_IN}: expected the declared limits, found it without ['LimitNOFILE=1048576']"},
    ),
    (
        {"limits": LESS},
        {
            "limits_are_in_force": "containerd: expected Max locked memory unlimited, found 8388608 and 8388608",
        },
    ),
    (
        {"limits": LESS, "own limits": LESS, "capabilities": "000001fffeffffff"},
        {
            "limits_are_in_force": "unproven: containerd: expected its declared limits, found that the host's own "
            "are {'Max locked memory': '8388608'}"
        },
    ),
    (
        {"limits": ""},
        {"limits_are_in_force": "containerd: expected Max locked memory unlimited, found none and none"},
    ),
    ({"tasks": "4915"}, {"limits_are_in_force": "containerd.service: expected TasksMax infinity, found 4915"}),
    (
        {"registries": ""},
        {"registries_are_mirrored": "certs.d: expected the declared mirrors, found others for nvcr.io"},
    ),
    (
        {"own registries": f"{MIRROR}\n/etc/containerd/certs.d/quay.io/hosts.toml"},
        {"registries_are_mirrored": "certs.d: expected no other mirrors of this role, found quay.io"},
    ),
    ({"crictl file": ""}, {"crictl_is_configured": f"/etc/crictl.yaml: expected {SOCKET}, found no file"}),
    (
        {"crictl": "level=fatal msg=refused"},
        {"crictl_can_talk": "crictl: expected an answer of containerd, found level=fatal msg=refused"},
    ),
    (
        {"crictl": "none"},
        {
            "crictl_can_talk": "unproven: crictl: expected an answer of containerd, found no crictl, which comes "
            "with kubeadm"
        },
    ),
    ({"runc": ""}, {"runc_is_there": "runc: expected its version, found no answer"}),
    (
        {"network plugins": "bridge\nportmap"},
        {
            "network_plugins_are_there": "/opt/cni/bin: expected the network plugins, found no loopback, host-local",
        },
    ),
    (
        {"unlinked": "/usr/lib/cni/vlan"},
        {"network_plugins_are_there": "/opt/cni/bin: expected the network plugins, found /usr/lib/cni/vlan not linked"},
    ),
    (
        {"filesystem": "root /var/lib/containerd\n/"},
        {
            "data_lie_on_their_filesystem": "containerd: expected its data in /data/containerd, found root "
            "/var/lib/containerd"
        },
    ),
    (
        {"filesystem": "root /data/containerd\n/"},
        {
            "data_lie_on_their_filesystem": "/data/containerd: expected it on the file system at /data, found /",
        },
    ),
    (
        {"filesystem": "root /data/containerd"},
        {"data_lie_on_their_filesystem": "/data/containerd: expected containerd's data, found no such directory"},
    ),
]
