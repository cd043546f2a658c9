"""Every file of the roles ipoib and roce is taken by the program that reads it, on a host that has all four managers.

A container has no IPoIB interface, so a virtual Ethernet link bears its name, in a network of its own: networkd and
ifupdown set it up for real, and only mode and partitions are left to hosts with adapters.
"""

from __future__ import annotations

import base64
import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from gpufleet.lab import prerequisites
from gpufleet.lab.hosts import HostSpec, LabHost
from gpufleet.lab.lab import Lab
from gpufleet.network import managers
from gpufleet.network.files import File
from gpufleet.network.links import Link
from gpufleet.operations.files import render
from roles.roce.options import Roce
from roles.roce.steps import PROGRAM, UNIT
from tests.support.lab import lab_name

LINKS = (
    Link("ib0", "connected", 65520, ("10.30.0.7/16", "fd00:30::7/64")),
    Link("ib0.8001", "datagram", 2044, ("10.31.0.7/16",), parent="ib0", key=0x8001),
    Link("ib1"),
)
PACKAGES = "netplan.io ifupdown network-manager"
#: A policy that starts no daemon of a package: NetworkManager would take the host's own interface.
QUIET = "printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d"
INSTALL = f"apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends {PACKAGES}"
#: First lines of a script in namespaces of its own: a link called ib0 whose other end is up, and no udev to wait for.
APART = """
mount -t sysfs -o ro sysfs /sys && mount -t tmpfs tmpfs /run
mkdir -p /run/network /run/systemd/netif/links /run/systemd/netif/leases
chown -R systemd-network: /run/systemd/netif
ip link add ib0 type veth peer name far && ip link set far up
"""
#: Runs networkd until the link has its address, or twenty seconds: then the answer shows what is missing. It runs as
#: its own user, because a container has not all the capabilities that it would keep.
NETWORKD = """
mkdir -p /etc/systemd/network && mount --bind {} /etc/systemd/network
export SYSTEMD_LOG_TARGET=console
setpriv --reuid systemd-network --regid systemd-network --clear-groups --inh-caps +net_admin,+net_raw \
  --ambient-caps +net_admin,+net_raw timeout 30 /usr/lib/systemd/systemd-networkd >/run/log 2>&1 & daemon=$!
n=0
until ip -o addr show ib0 | grep -q 10.30.0.7 || [ "$n" = 100 ]; do n=$((n + 1)); sleep 0.2; done
kill "$daemon"; wait "$daemon"
cat /run/log; ip -o addr show ib0; cat /sys/class/net/ib0/mtu
"""


@pytest.fixture(scope="module")
def host(state: Path) -> Iterator[LabHost]:
    """A host with the programs of all network managers, none of them running."""
    prerequisites.ensure(print)
    name = f"{lab_name()}-netfiles"
    try:
        lab = Lab.up(name, [HostSpec.parse("d13=debian-13/cpu-only")], say=print)
        host = lab.host("d13")
        host.execute(f"{QUIET} && {INSTALL}")
        yield host
    finally:
        Lab.remove(name)


@pytest.fixture
def root(host: LabHost) -> Iterator[str]:
    """An empty directory on the host."""
    directory = host.execute("mktemp -d").stdout.strip()
    host.execute(f"chmod 755 {directory}")
    yield directory
    host.execute(f"rm -rf {directory}")


def put(host: LabHost, root: str, files: Sequence[File], edit: tuple[str, str] = ("", "")) -> None:
    """Write files below a directory of the host."""
    for file in files:
        text = (
            render(file.template, **file.context).replace(*edit) if edit[0] else render(file.template, **file.context)
        )
        payload = base64.b64encode(text.encode()).decode()
        path = f"{root}{file.path}"
        host.execute(f"mkdir -p $(dirname {path}) && echo {payload} | base64 -d >{path} && chmod {file.mode} {path}")


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def apart(host: LabHost, script: str) -> subprocess.CompletedProcess[str]:
    """Run a script in network and mount namespaces of its own."""
    payload = base64.b64encode((APART + script).encode()).decode()
    run = "unshare --net --mount --propagation private sh /root/apart"
    return host.execute(f"echo {payload} | base64 -d >/root/apart && {run}", check=False)


def networkd(host: LabHost, root: str) -> str:
    return apart(host, NETWORKD.format(f"{root}/etc/systemd/network")).stdout


def test_networkd_sets_up_the_link(host: LabHost, root: str) -> None:
    put(host, root, managers.TABLE["networkd"].files(LINKS))
    answer = networkd(host, root)
    assert "/etc/systemd/network/05-gpufleet-ib0.network" in answer
    assert re.findall(r"05-gpufleet-\S+:\d+: .*", answer) == []
    assert re.search(r"inet 10\.30\.0\.7/16 .*inet6 fd00:30::7/64 .*\n65520\n$", answer, re.DOTALL)


def test_networkd_says_what_it_does_not_take(host: LabHost, root: str) -> None:
    put(host, root, managers.TABLE["networkd"].files(LINKS), ("MTUBytes=65520", "MTUBytes=much"))
    answer = networkd(host, root)
    assert "05-gpufleet-ib0.network:6: Failed to parse" in answer


def test_netplan_writes_networkds_files(host: LabHost, root: str) -> None:
    put(host, root, managers.TABLE["netplan"].files(LINKS))
    result = host.execute(f"netplan generate --root-dir {root}")
    # A container has no udevd, whose rules it would have read again.
    assert lines(result.stderr) in ([], ["Failed to send reload request: No such file or directory"])
    text = host.execute(f"cat {root}/run/systemd/network/10-netplan-ib0.network").stdout
    wanted = ["Name=ib0", "MTUBytes=65520", "Address=10.30.0.7/16", "Address=fd00:30::7/64"]
    assert [line for line in wanted if line not in lines(text)] == []
    waited = host.execute(f"cat {root}/run/systemd/system/*wait-online*/*.conf", check=False).stdout
    assert "ib0" not in waited
    child = host.execute(f"cat {root}/run/systemd/network/10-netplan-ib0.8001.network").stdout
    assert [
        line for line in ("Name=ib0.8001", "MTUBytes=2044", "Address=10.31.0.7/16") if line not in lines(child)
    ] == []


def test_netplan_says_what_it_does_not_take(host: LabHost, root: str) -> None:
    put(host, root, managers.TABLE["netplan"].files(LINKS), ("10.30.0.7/16", "10.30.0.7"))
    result = host.execute(f"netplan generate --root-dir {root}", check=False)
    assert result.returncode != 0
    assert "address '10.30.0.7' is missing /prefixlength" in result.stderr


def test_ifupdown_sets_up_the_link(host: LabHost, root: str) -> None:
    put(host, root, managers.TABLE["ifupdown"].files(LINKS))
    path = f"{root}/etc/network/interfaces.d/gpufleet-ipoib"
    assert lines(host.execute(f"ifquery --list --allow hotplug -i {path}").stdout) == ["ib0", "ib0.8001", "ib1"]
    planned = host.execute(f"ifup --no-act --force -v --state-dir={root} -i {path} ib0.8001 ib1").stderr
    assert "ip link set dev ib0.8001 mtu 2044" in planned
    answer = apart(host, f"ifup --force --state-dir={root} -i {path} ib0; ip addr show ib0").stdout
    assert [word for word in ("inet 10.30.0.7/16", "inet6 fd00:30::7/64", "mtu 65520") if word not in answer] == []


def test_ifupdown_says_what_it_does_not_take(host: LabHost, root: str) -> None:
    put(host, root, managers.TABLE["ifupdown"].files(LINKS), ("inet static", "inet stative"))
    path = f"{root}/etc/network/interfaces.d/gpufleet-ipoib"
    result = host.execute(f"ifquery -i {path} ib0", check=False)
    assert result.returncode != 0
    assert "unknown or no method" in result.stderr


def test_networkmanager_reads_the_keyfiles(host: LabHost, root: str) -> None:
    files = managers.TABLE["networkmanager"].files(LINKS)
    put(host, root, files)
    read = {file.path: host.execute(f"nmcli --offline connection modify <{root}{file.path}").stdout for file in files}
    parent, child, bare = (set(lines(text)) for text in read.values())
    assert {"transport-mode=connected", "mtu=65520", "address1=10.30.0.7/16", "address1=fd00:30::7/64"} <= parent
    assert {"p-key=32769", "parent=ib0", "interface-name=ib0.8001", "mtu=2044", "address1=10.31.0.7/16"} <= child
    assert {"transport-mode=datagram", "method=disabled", "method=link-local"} <= bare


def test_networkmanager_says_what_it_does_not_take(host: LabHost, root: str) -> None:
    files = managers.TABLE["networkmanager"].files(LINKS)
    put(host, root, files[1:2], ("parent=ib0", "parent=ib 0"))
    result = host.execute(f"nmcli --offline connection modify <{root}{files[1].path}", check=False)
    assert result.returncode != 0


def test_udev_takes_the_rule(host: LabHost, root: str) -> None:
    (rule,) = (file for file in managers.TABLE["ifupdown"].files(LINKS) if file.path.endswith(".rules"))
    put(host, root, [rule])
    host.execute(f"udevadm verify --no-style {root}{rule.path}")
    put(host, root, [rule], ("ATTR{mode}=", "ATTR{mode=="))
    result = host.execute(f"udevadm verify --no-style {root}{rule.path}", check=False)
    assert result.returncode != 0


def test_systemd_takes_the_unit_and_the_shell_the_program(host: LabHost) -> None:
    program = File(f"/{PROGRAM}", PROGRAM, {"qos": Roce.model_validate({}).qos()}, mode="755")
    put(host, "", [program, File(f"/{UNIT}", UNIT)])
    for name in ("ens1f0np0", "roce\\x2d1"):
        result = host.execute(f"systemd-analyze verify 'gpufleet-roce@{name}.service'")
        assert "gpufleet-roce" not in result.stdout + result.stderr
    host.execute(f"sh -n /{PROGRAM} && systemctl daemon-reload && systemctl enable 'gpufleet-roce@roce\\x2d1.service'")
    wants = "/etc/systemd/system/sys-subsystem-net-devices-roce\\x2d1.device.wants"
    assert lines(host.execute(f"ls '{wants}'").stdout) == ["gpufleet-roce@roce\\x2d1.service"]


def test_the_program_says_what_an_interface_cannot_do(host: LabHost) -> None:
    """A virtual link has no data center bridging: dcb takes the words, and the kernel refuses."""
    result = apart(host, f"/{PROGRAM} ib0")
    assert result.returncode != 0
    assert lines(result.stderr) == [
        "Attribute read: Operation not supported",
        "ib0: dcb pfc set dev ib0 prio-pfc all:off 3:on failed",
        "Attribute read: Operation not supported",
        "ib0: dcb app replace dev ib0 dscp-prio 26:3 48:6 failed",
    ]
