"""The kubelet's configuration: checked by the kubelet itself before it is in force."""

from __future__ import annotations

import shlex
from collections.abc import Generator, Sequence
from hashlib import sha256
from io import StringIO
from typing import Any

from pyinfra.api.command import QuoteString, StringCommand
from pyinfra.api.operation import operation
from pyinfra.context import host
from pyinfra.facts.files import Sha256File
from pyinfra.operations import files

from gpufleet.errors import HostError
from gpufleet.facts.gpu_daemons import GpuDaemonState
from gpufleet.facts.kubelet import CLUSTERS, DIRECTORY, DROP_IN, DROP_INS, UNIT, ManagerRecords, NodeOccupancy
from gpufleet.facts.kubelet_flags import FLAGS
from gpufleet.facts.numa import DefaultHugePages, NumaNodes, OnlineCpus
from gpufleet.kubernetes.drained import refusal
from gpufleet.kubernetes.kubelet_configuration import KubeletConfiguration
from gpufleet.kubernetes.managers import outdated
from gpufleet.kubernetes.memory import HugePages, NumaNode
from gpufleet.operations import failure
from gpufleet.operations.kubelet import PROGRAM

Commands = Generator[Any, None, None]

#: Where the service has flags from: kubeadm's, and the administrator's by family of systems.
FLAG_FILES = f"{FLAGS} /etc/default/kubelet /etc/sysconfig/kubelet"
#: Starts the kubelet so that it ends behind its checks of flags and configuration: it is told to give way to another
#: kubelet, and not by which lock it would know. First with the new file alone, whose every field it must know, then
#: with the cluster's file below it, both times by the service's flags, over which our own win. Nothing outside a
#: directory of its own is written.
_CHECK = (
    'd=$(mktemp -d); trap \'rm -rf "$d"\' EXIT; mkdir "$d/c"; cp {drop_ins}/*.conf "$d/c/" 2>/dev/null; '
    "set -f; flags=$(sed -n 's/^KUBELET_[A-Z]*_ARGS=//p' {flags} 2>/dev/null | tr -d '\\042\\047\\134'); "
    'cp {new} "$d/c/{name}"; check() {{ timeout 60 {program} $flags "$@" --exit-on-lock-contention --lock-file= '
    '--root-dir="$d" --cert-dir="$d" >"$d/said" 2>&1; grep -q "no lock file specified" "$d/said"; }}; '
    'refuse() {{ rm -f {new}; printf {sentence} "$(sed -n \'s/.*err="\\(.*\\)"$/\\1/p\' "$d/said" | grep -v "no lock" '
    '| tail -n 1)" >&2; exit 1; }}; '
    'check --config={new} || refuse; ! grep -q "strict decoding error" "$d/said" || refuse; '
    '[ ! -e {clusters} ] || check --config={clusters} --config-dir="$d/c" || refuse'
)


@operation()
def may_be(wanted: KubeletConfiguration, node: str, hugepages: int | None = None) -> Commands:
    """
    Refuse a configuration by which managers' records go on a node that is not drained, before anything is changed.

    + wanted: the configuration
    + node: name of the node
    + hugepages: huge pages that the kernel is to get; None leaves it those that it has

    **Example:**

    .. code:: python

        kubelet_configuration.may_be(name="See that managers may forget", wanted=configuration, node="gpu-07")
    """
    stale = _stale(wanted, hugepages)
    # Want records that fit, and have them?
    if not stale:
        host.noop("what the kubelet's managers wrote down may stay")
        return
    occupancy = host.get_fact(NodeOccupancy, node=node)
    if occupancy.is_free:
        host.noop(f"{' and '.join(stale)} may go: nothing runs here")
        return
    why = ", ".join(dict.fromkeys(stale.values()))
    what = f"{' and '.join(stale)} go{'es' * (len(stale) == 1)}"
    yield failure(f"{host.name}: kubelet.managers", **refusal(node, what, why, occupancy))


@operation()
def in_force(wanted: KubeletConfiguration, node: str, read: Sequence[str] = ()) -> Commands:
    """
    Have the kubelet's configuration over the cluster's, checked by the kubelet itself before it takes its place.

    Where its managers' records are of other rules, they go, and only on a drained node: the kubelet would not start
    with them. It is stopped then, and `running` starts it. A kubelet that `running` restarts for another reason judges
    the configuration and its flags before, too.

    + wanted: the configuration
    + node: name of the node
    + read: files that the kubelet reads at its start alone, its program among them; absolute paths

    **Example:**

    .. code:: python

        kubelet_configuration.in_force(name="Configure the kubelet", wanted=configuration, node="gpu-07")
    """
    text, stale, found = wanted.text(), _stale(wanted), host.get_fact(Sha256File, path=DROP_IN)
    # Want this text, records that fit and a kubelet that runs on its files, and have all three?
    if found == sha256(text.encode()).hexdigest() and not (stale or _starts_anew(read)):
        host.noop(f"{DROP_IN} is as declared")
        return
    if stale and not host.get_fact(NodeOccupancy, node=node).is_free:
        yield from may_be._inner(wanted=wanted, node=node)
        return
    new = f"{DROP_IN}.new"
    yield from files.put._inner(src=StringIO(text), dest=new, mode="644", user="root", group="root")
    yield StringCommand(check(host.name, new))
    if stale:
        paths = [f"{DIRECTORY}/{name}" for name in stale]
        yield StringCommand("systemctl", "stop", UNIT, "&&", "rm", "-f", *map(QuoteString, paths))
    yield StringCommand("mv", QuoteString(new), QuoteString(DROP_IN))


def _stale(wanted: KubeletConfiguration, hugepages: int | None = None) -> dict[str, str]:
    """Return the managers' files that must go, with why, on a kernel that is to have so many huge pages."""
    nodes: list[NumaNode] = host.get_fact(NumaNodes)
    pages: HugePages = host.get_fact(DefaultHugePages) if hugepages is not None else HugePages()
    return outdated(wanted, host.get_fact(ManagerRecords), nodes, host.get_fact(OnlineCpus), pages.more(hugepages))


def _starts_anew(read: Sequence[str]) -> bool:
    """Tell whether a running kubelet's files changed after its start, so that it is going to be restarted."""
    return host.get_fact(GpuDaemonState, unit=UNIT, files=read).is_stale if read else False


def check(where: str, new: str) -> str:
    """Return the script by which a kubelet judges a new file; it removes a bad one and says what is wrong with it."""
    sentence = HostError(
        f"{where}: {DROP_IN}",
        expected="a configuration that the installed kubelet takes",
        found="%s",
        cure=f"correct the options of the role kubelet, or flags in {FLAGS}; the old configuration is still in force",
    )
    return _CHECK.format(
        drop_ins=DROP_INS,
        new=new,
        name=DROP_IN.rpartition("/")[2],
        program=PROGRAM,
        flags=FLAG_FILES,
        clusters=CLUSTERS,
        sentence=shlex.quote(f"{sentence}\n"),
    )
