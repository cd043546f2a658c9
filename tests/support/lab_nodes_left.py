"""What a host of the lab has: to see that nothing changed, and what of Kubernetes is left."""

from __future__ import annotations

from tests.support.lab_nodes import Nodes

#: Packages, holds, files with the time of their last change, kernel settings, and since when services run.
STATE = (
    "dpkg-query -W; apt-mark showhold; "
    "find /etc /opt /usr/bin /usr/lib/systemd /usr/local /var/lib/kubelet/*_state /var/lib/kubelet/config.yaml "
    "! -type d ! -path '/etc/gpufleet-lab/*' -printf '%p %C@ %s\\n' 2>/dev/null | sort; "
    "sysctl --all --pattern '^(kernel.(panic|keys)|vm.(overcommit_memory|panic_on_oom)|net.(ipv4.ip_forward|bridge))' "
    "2>/dev/null; systemctl show --property=ActiveEnterTimestamp containerd kubelet"
)
#: Nothing of it may be there when a host has left its cluster; containerd may stay.
OVER = (
    "ls -d /etc/kubernetes/*.conf /etc/kubernetes/pki /etc/kubernetes/manifests /etc/kubernetes/kubelet.conf.d/* "
    "/var/lib/kubelet/* /var/lib/cni/* /run/gpufleet-join /etc/systemd/system/kubelet.service.d "
    "/etc/systemd/logind.conf.d/99-kubelet.conf /etc/sysctl.d/*kubelet* /etc/modules-load.d/*kubelet* "
    "/etc/apt/sources.list.d/kubernetes* /etc/apt/keyrings/kubernetes* /usr/bin/kube* /usr/bin/crictl 2>/dev/null; "
    "dpkg-query -W 'kube*' cri-tools 2>/dev/null; apt-mark showhold | grep -E 'kube|cri-tools'; "
    "grep -hE 'kube|cri-tools' /etc/apt/preferences.d/* 2>/dev/null; pgrep -a kubelet; "
    "ctr --namespace k8s.io containers ls --quiet; ctr --namespace k8s.io tasks ls --quiet; "
    "findmnt --raw --noheadings --output=TARGET | grep '^/var/lib/kubelet/'; "
    "find /sys/fs/cgroup -maxdepth 2 -name 'kubepods*'; true"
)


def state(nodes: Nodes, host: str) -> str:
    """What a host has and runs; two such texts are equal where nothing was changed in between."""
    return nodes.fleet.host(host).execute(STATE, check=False).stdout


def over(nodes: Nodes, host: str) -> str:
    """What of Kubernetes is left on a host that has left its cluster."""
    return nodes.fleet.host(host).execute(OVER).stdout
