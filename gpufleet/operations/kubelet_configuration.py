"""The kubelet's configuration: checked by the kubelet itself before it is in force."""

from __future__ import annotations

import shlex
from collections.abc import Generator
from hashlib import sha256
from io import StringIO
from typing import Any

from pyinfra.api.command import QuoteString, StringCommand
from pyinfra.api.operation import operation
from pyinfra.context import host
from pyinfra.facts.files import Sha256File
from pyinfra.operations import files

from gpufleet.errors import HostError
from gpufleet.facts.kubelet import CLUSTERS, DIRECTORY, DROP_IN, DROP_INS, UNIT, ManagerRecords, NodeOccupancy
from gpufleet.facts.numa import NumaNodes
from gpufleet.kubernetes.drained import refusal
from gpufleet.kubernetes.kubelet_configuration import KubeletConfiguration
from gpufleet.kubernetes.managers import outdated
from gpufleet.kubernetes.memory import NumaNode
from gpufleet.operations import failure
from gpufleet.operations.kubelet import PROGRAM

Commands = Generator[Any, None, None]

#: Starts the kubelet so that it ends behind its checks of the configuration: it is told to give way to another kubelet,
#: and not by which lock it would know. First with the new file alone, whose every field it must know, then with the
#: cluster's file below it. Nothing outside a directory of its own is written.
_CHECK = (
    'd=$(mktemp -d); trap \'rm -rf "$d"\' EXIT; mkdir "$d/c"; cp {drop_ins}/*.conf "$d/c/" 2>/dev/null; '
    'cp {new} "$d/c/{name}"; check() {{ timeout 60 {program} "$@" --exit-on-lock-contention '
    '--root-dir="$d" --cert-dir="$d" >"$d/said" 2>&1; grep -q "no lock file specified" "$d/said"; }}; '
    'refuse() {{ rm -f {new}; printf {sentence} "$(sed -n \'s/.*err="\\(.*\\)"$/\\1/p\' "$d/said" | grep -v "no lock" '
    '| tail -n 1)" >&2; exit 1; }}; '
    'check --config={new} || refuse; ! grep -q "strict decoding error" "$d/said" || refuse; '
    '[ ! -e {clusters} ] || check --config={clusters} --config-dir="$d/c" || refuse'
)


@operation()
def in_force(wanted: KubeletConfiguration, node: str) -> Commands:
    """
    Have the kubelet's configuration over the cluster's, checked by the kubelet itself before it takes its place.

    Where its managers' records are of other rules, they go, and only on a drained node: the kubelet would not start
    with them. It is stopped then, and `running` starts it.

    + wanted: the configuration
    + node: name of the node

    **Example:**

    .. code:: python

        kubelet_configuration.in_force(name="Configure the kubelet", wanted=configuration, node="gpu-07")
    """
    nodes: list[NumaNode] = host.get_fact(NumaNodes)
    text, records = wanted.text(), host.get_fact(ManagerRecords)
    stale, found = outdated(wanted, records, nodes), host.get_fact(Sha256File, path=DROP_IN)
    # Want this text and records that fit, and have both?
    if found == sha256(text.encode()).hexdigest() and not stale:
        host.noop(f"{DROP_IN} is as declared")
        return
    occupancy = host.get_fact(NodeOccupancy, node=node)
    if stale and not occupancy.is_free:
        why = ", ".join(dict.fromkeys(stale.values()))
        what = f"{' and '.join(stale)} go{'es' * (len(stale) == 1)}"
        yield failure(f"{host.name}: kubelet.managers", **refusal(node, what, why, occupancy))
        return
    new = f"{DROP_IN}.new"
    yield from files.put._inner(src=StringIO(text), dest=new, mode="644", user="root", group="root")
    yield StringCommand(check(host.name, new))
    if stale:
        paths = [f"{DIRECTORY}/{name}" for name in stale]
        yield StringCommand("systemctl", "stop", UNIT, "&&", "rm", "-f", *map(QuoteString, paths))
    yield StringCommand("mv", QuoteString(new), QuoteString(DROP_IN))


def check(where: str, new: str) -> str:
    """Return the script by which a kubelet judges a new file; it removes a bad one and says what is wrong with it."""
    sentence = HostError(
        f"{where}: {DROP_IN}",
        expected="a configuration that the installed kubelet takes",
        found="%s",
        cure="correct the options of the role kubelet; the old configuration is still in force",
    )
    return _CHECK.format(
        drop_ins=DROP_INS,
        new=new,
        name=DROP_IN.rpartition("/")[2],
        program=PROGRAM,
        clusters=CLUSTERS,
        sentence=shlex.quote(f"{sentence}\n"),
    )
