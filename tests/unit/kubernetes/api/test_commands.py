"""`gpufleet verify` and `gpufleet deploy` end at the gate: their lines, their documents, and their exit codes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from gpufleet import cli
from gpufleet.converge import afterwards
from gpufleet.converge import command as converge
from gpufleet.converge.events import HostState
from gpufleet.converge.results import HostResult, RunResult
from gpufleet.health import command, targets
from gpufleet.health.outcomes import Outcome
from gpufleet.health.verification import Check, Verification
from gpufleet.inventory.hosts import InventoryHost
from gpufleet.kubernetes.judgment import evidence
from gpufleet.kubernetes.names import PREFLIGHT
from tests.support.api_server import TOKEN, ApiServer
from tests.support.certificates import Authority
from tests.support.inventories import inventory_of
from tests.support.kubeconfigs import document, write
from tests.support.node_checks import is_the_node
from tests.support.verification import CHECKS

GOOD = Check("gpu-1", "base", "swap", Outcome.PASS)
BAD = Check("gpu-1", "base", "swap", Outcome.FAIL, "expected no swap, found /dev/sda2")
NODE = is_the_node("gpu-1")
LIFTED = f"gpu-1 node gpu-1: preflight taint lifted (evidence {evidence([GOOD, NODE])})"
TAINTED = (
    f"gpu-1 node gpu-1: preflight taint put on (evidence {evidence([BAD, NODE])}): "
    "1 of 2 checks did not pass: base swap: expected no swap, found /dev/sda2"
)

Run = Callable[..., Result]


@pytest.fixture
def hosts(server: ApiServer, authority: Authority, tmp_path: Path) -> dict[str, InventoryHost]:
    server.add("gpu-1", taints=[PREFLIGHT.model_dump()])
    path = write(tmp_path / "kubeconfig", document(server.url, authority.pem, {"token": TOKEN}))
    data = {"kubelet": {}, "kubernetes": {"kubeconfig": {"file": str(path)}}, "base": {}, "cuda": {}, "ssh_port": 1}
    return dict(inventory_of({"gpu-1": {**data, "ssh_hostname": "127.0.0.1"}}).hosts)


def answering(check: Check, asked: list[Sequence[str]]) -> Callable[..., Verification]:
    def verify_hosts(hosts: Sequence[InventoryHost], roles: Sequence[str] = (), **more: Any) -> Verification:
        asked.append(roles)
        names = [host.name for host in hosts]
        return Verification(names, [each for name in names for each in (replace(check, host=name), is_the_node(name))])

    return verify_hosts


@pytest.fixture
def verify(hosts: dict[str, InventoryHost], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command over hosts without an inventory file; checks that are not given are really run."""
    for role in ("base", "cuda"):
        (tmp_path / f"test_{role}.py").write_text("def test_nothing(probe): pass\n")
    shutil.copy(CHECKS / "conftest.py", tmp_path)
    monkeypatch.setattr(targets, "load", lambda path, limit: [*hosts.values()])

    def run(*arguments: str, check: Check | None = None) -> Result:
        if check:
            monkeypatch.setattr(command, "verify_hosts", answering(check, []))
        return CliRunner().invoke(cli.app, ["verify", "fleet.py", f"--checks={tmp_path}", *arguments])

    return run


def taints(server: ApiServer) -> list[str]:
    return [taint["value"] for taint in server.nodes["gpu-1"]["spec"].get("taints", [])]


def test_a_green_host_is_let_in(verify: Run, server: ApiServer) -> None:
    result = verify(check=GOOD)
    assert (result.exit_code, result.stdout.splitlines()[-1], taints(server)) == (0, LIFTED, [])


def test_a_host_that_failed_is_kept_out(verify: Run, server: ApiServer) -> None:
    result = verify(check=BAD)
    assert (result.exit_code, result.stdout.splitlines()[-1], taints(server)) == (1, TAINTED, ["failed"])


def test_a_host_that_does_not_answer_is_kept_out(verify: Run, server: ApiServer) -> None:
    """The checks really are run here, over SSH to a port where nobody listens."""
    result = verify()
    line = result.stdout.splitlines()[-1]
    reason = "not verified: expected an SSH server at 127.0.0.1 port 1, found"
    assert line.startswith(f"gpu-1 node gpu-1: preflight taint put on: {reason} ")
    assert (result.exit_code, taints(server)) == (1, ["failed"])


def test_many_hosts_that_do_not_answer_are_kept_out_on_request_alone(
    verify: Run, server: ApiServer, hosts: dict[str, InventoryHost]
) -> None:
    server.nodes["gpu-1"]["spec"]["taints"] = []
    server.add("gpu-2", taints=[])
    hosts["gpu-2"] = replace(hosts["gpu-1"], name="gpu-2")
    result = verify()
    assert (result.exit_code, taints(server), server.patches) == (1, [], [])
    assert result.stdout.splitlines()[-1] == (
        "gpu-[1-2] node not changed: the preflight gate: expected any of 2 hosts to be verified, found none; this is "
        "more likely a fault of the controller, such as its network or its key, than of the hosts, so none of them was "
        "shut out: mend that and verify again, or run `gpufleet verify` with --shut-out-all"
    )
    result = verify("--shut-out-all")
    assert (result.exit_code, taints(server), len(server.patches)) == (1, ["failed"], 2)


def test_some_roles_let_nobody_in(verify: Run, server: ApiServer) -> None:
    result = verify("--role", "base", check=GOOD)
    assert result.stdout.splitlines()[-1] == "gpu-1 node gpu-1: left as it is: not checked: cuda"
    assert (result.exit_code, taints(server), server.asked) == (0, ["pending"], [])


def test_without_the_gate_no_node_is_asked_for(verify: Run, server: ApiServer) -> None:
    result = verify("--no-gate", check=GOOD)
    assert (result.exit_code, " node " in result.stdout, server.asked) == (0, False, [])


def test_a_gate_that_cannot_act_ends_a_green_run_with_1(verify: Run, server: ApiServer) -> None:
    server.nodes.clear()
    result = verify(check=GOOD)
    cure = "join the host, or correct kubelet.node_name"
    line = f"gpu-1 node not changed: {server.url}: expected a node gpu-1, found none; {cure}"
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (1, line)


def test_as_a_document(verify: Run) -> None:
    result = verify("--json", check=GOOD)
    found = json.loads(result.stdout)
    node = {"node": "gpu-1", "action": "lifted", "reason": "", "evidence": evidence([GOOD, NODE])}
    assert (found["ok"], found["nodes"]) == (True, {"gpu-1": node})


@pytest.fixture
def deploy(hosts: dict[str, InventoryHost], monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command after a deploy that came out as told."""
    inventory = inventory_of({name: host.data for name, host in hosts.items()})

    def run(*arguments: str, check: Check = GOOD, state: HostState = HostState.DONE, roles: str = "base") -> Result:
        result = RunResult({"gpu-1": HostResult("gpu-1", state=state, error="gpu-1: broke")}, roles={*roles.split()})
        asked: list[Sequence[str]] = []

        def converged(*given: Any, accept: Callable[[Sequence[InventoryHost]], None]) -> RunResult:
            accept([*inventory.hosts.values()])
            return result

        monkeypatch.setattr(converge, "converge_with_progress", converged)
        monkeypatch.setattr(afterwards, "verify_hosts", answering(check, asked))
        done = CliRunner().invoke(cli.app, ["deploy", "fleet.py", *arguments])
        assert asked in ([], [[*sorted({*roles.split(), "machine"})]])
        return done

    return run


def flat(result: Result) -> str:
    return " ".join(result.stdout.split())


def test_a_deploy_of_everything_lets_in(deploy: Run, server: ApiServer) -> None:
    result = deploy(roles="base cuda kubelet")
    assert flat(result).endswith(LIFTED)
    assert (result.exit_code, taints(server)) == (0, [])


def test_a_deploy_of_a_part_does_not(deploy: Run, server: ApiServer) -> None:
    result = deploy(roles="cuda")
    assert flat(result).endswith("gpu-1 node gpu-1: left as it is: not checked: base, kubelet")
    assert (result.exit_code, taints(server)) == (0, ["pending"])


def test_a_deploy_that_broke_keeps_out(deploy: Run, server: ApiServer) -> None:
    result = deploy(state=HostState.FAILED)
    said = "gpu-1 node gpu-1: preflight taint put on: not verified: the deploy did not come to its end"
    assert flat(result).endswith(said)
    assert (result.exit_code, taints(server)) == (1, ["failed"])


@pytest.mark.parametrize("option", ["--no-gate", "--no-verify"])
def test_a_deploy_may_leave_nodes_alone(deploy: Run, server: ApiServer, option: str) -> None:
    result = deploy(option, check=BAD if option == "--no-verify" else GOOD)
    assert (result.exit_code, server.asked) == (0, [])


def test_a_gate_that_cannot_act_ends_a_green_deploy_with_1(deploy: Run, server: ApiServer) -> None:
    server.nodes.clear()
    result = deploy("--json", roles="base cuda kubelet")
    found = json.loads(result.stdout)["nodes"]["gpu-1"]
    cure = "join the host, or correct kubelet.node_name"
    assert found["reason"] == f"{server.url}: expected a node gpu-1, found none; {cure}"
    assert (result.exit_code, found["action"]) == (1, "impossible")
