"""What a host does about a node of its name that the cluster has already, with a kubectl that answers as it is told."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest

from gpufleet.kubernetes.join import Papers
from gpufleet.kubernetes.names import PREFLIGHT
from gpufleet.operations import kubeadm, stale_node

ENDPOINT = "10.0.0.1:6443"
REFUSED = (
    "gpu-07: cluster at 10.0.0.1:6443: expected no node node-7 before the host joins, or one with the taint "
    "gpufleet.dev/preflight, found one without it, where pods would start before the host is verified: a kubelet "
    "taints only a node that it makes; run `kubectl delete node node-7`, or `kubectl taint node node-7 "
    "gpufleet.dev/preflight=pending:NoSchedule`, and deploy again\n"
)
FORBIDDEN = (
    'Error from server (Forbidden): nodes "node-7" is forbidden: User "system:bootstrap:abcdef" cannot get resource '
    '"nodes" in API group "" at the cluster scope'
)
UNKNOWN = f"gpu-07: whether the cluster at 10.0.0.1:6443 has a node node-7 is not known: {FORBIDDEN}\n"


def asked(folder: Path, answers: str) -> subprocess.CompletedProcess[str]:
    """Ask by a kubeconfig; what would be kubeadm prints a word."""
    program = folder / "kubectl"
    program.write_text(f'#!/bin/sh\necho "$@" >>{folder}/calls\n{answers}\n')
    program.chmod(0o755)
    shell = stale_node.question("gpu-07", "node-7", PREFLIGHT, ENDPOINT, str(folder), f"{folder}/bootstrap.conf")
    command = ["sh", "-c", f"d={folder}; {shell}echo joins"]
    path = {"PATH": f"{folder}:/usr/bin:/bin"}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=path)


@pytest.mark.parametrize(
    ("answers", "code", "printed", "said"),
    [
        ("true", 0, "joins\n", ""),
        ("printf node", 1, "", REFUSED),
        ("printf 'node node.kubernetes.io/unreachable gpufleet.dev/preflight-2'", 1, "", REFUSED),
        ("printf 'node node.kubernetes.io/unreachable gpufleet.dev/preflight'", 0, "joins\n", ""),
        ("printf 'node gpufleet.dev/preflight example.org/x'", 0, "joins\n", ""),
        (f"echo E1123 memcache.go >&2; echo {shlex.quote(FORBIDDEN)} >&2; exit 1", 0, "joins\n", UNKNOWN),
    ],
    ids=["none", "without taints", "with others", "with ours", "with both", "forbidden"],
)
def test_a_node_that_is_there(tmp_path: Path, answers: str, code: int, printed: str, said: str) -> None:
    done = asked(tmp_path, answers)
    assert (done.returncode, done.stdout, done.stderr) == (code, printed, said)


def test_it_asks_for_the_one_node_and_leaves_nothing_elsewhere(tmp_path: Path) -> None:
    asked(tmp_path, "true")
    assert (tmp_path / "calls").read_text() == (
        f"--kubeconfig={tmp_path}/bootstrap.conf --cache-dir={tmp_path}/cache --request-timeout=10s get node node-7 "
        "--ignore-not-found -o go-template=node{{range .spec.taints}} {{.key}}{{end}}\n"
    )


def test_it_asks_with_what_the_host_joins_with() -> None:
    token, kubeconfig = Papers("token: x"), Papers("file: {}", "kind: Config")
    by = {each: kubeadm.question("gpu-07", "node-7", each, ENDPOINT, PREFLIGHT) for each in (token, kubeconfig)}
    assert "timeout 30 kubectl --kubeconfig=/run/gpufleet-join/access.conf " in by[token]
    assert by[kubeconfig].startswith("timeout 30 kubectl --kubeconfig=/run/gpufleet-join/bootstrap.conf ")
    assert kubeadm.question("gpu-07", "node-7", token, ENDPOINT, None) == ""
