"""Bad data of a fabric, by the commands that would act on them: the whole message, exit 2, and nothing touched."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn

import pytest
from typer.testing import CliRunner, Result

from gpufleet import cli
from gpufleet.converge.process import Process
from gpufleet.fabric import asking
from gpufleet.project import ROOT
from tests.unit.fabric.small import PLAN

HEAD = "expected no faults, found {}; correct the lines below; nothing was touched"
MACHINE = {"os": "debian-13", "gpus": {"H100 SXM5": 8}, "rdma_adapters": 8}


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(cli.app, arguments, prog_name="gpufleet")


@pytest.fixture(autouse=True)
def _nothing_is_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def touched(*_: Any, **__: Any) -> NoReturn:
        raise AssertionError("a host was touched")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GPUFLEET_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setattr(asking, "heard_from", touched)
    monkeypatch.setattr(Process, "ask", touched)
    Path("fleet.py").write_text('gpu = ["gpu-01", "gpu-02"]\n')
    Path("fabric.yaml").write_text(PLAN)


@pytest.mark.parametrize(
    ("file", "old", "new", "line"),
    [
        pytest.param(
            "fabric.yaml", "gpu-02: {mlx5_0: {rail: 1}", "gpu-02: {mlx5_0: {rail: 3}",
            "hosts.gpu-02.mlx5_0.rail: expected the rail of a leaf, found 3; known rails: 1, 2", id="unknown rail",
        ),
        pytest.param(
            "fleet.py", '"gpu-02"', '"gpu-03"',
            "gpu-02: hosts: not in the inventory; add it to the inventory, or take it out of the plan",
            id="unknown host",
        ),
    ],
)  # fmt: skip
def test_a_wrong_plan_is_checked_against_nothing(file: str, old: str, new: str, line: str) -> None:
    path = Path(file)
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    before = sorted(Path().rglob("*"))
    for arguments in (["check", "fleet.py", "--svg", "net.svg"], ["draw", "fleet.py", "net.svg"]):
        result = invoke("fabric", *arguments)
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr == f"gpufleet: {Path.cwd()}/fabric.yaml: {HEAD.format('1 fault')}\n  {line}\n"
    assert sorted(Path().rglob("*")) == before


@pytest.mark.parametrize(
    ("data", "line"),
    [
        pytest.param(
            {"subnet_manager": {"ports": [{"device": "mlx5_0"}], "partitions": [{"name": "a", "key": 0x8001}]}},
            "gpu-[01-02]: subnet_manager.partitions[0].key: expected a partition key from 0x0001 to 0x7fff, found "
            "0x8001; leave the highest bit out: it is the membership, which `members` gives",
            id="partition key of the manager",
        ),
        pytest.param(
            {"ipoib": {"interfaces": {"ib0": {"partitions": [{"key": 0x7FFF}]}}}},
            "gpu-[01-02]: ipoib.interfaces.ib0.partitions[0].key: expected a partition key from 0x8001 to 0xfffe, "
            "found 0x7fff; take one that the subnet manager has; the interface itself is in the default "
            "partition 0xffff",
            id="partition key of an interface",
        ),
        pytest.param(
            {"ipoib": {"interfaces": {"ib0": {"addresses": ["10.30.0.7/16"]}}}},
            "gpu-02: ipoib.interfaces.ib0: 10.30.0.7 is that of gpu-01 too; give each host its own",
            id="address clash",
        ),
        pytest.param(
            {"machine": MACHINE, "infiniband": {"provider": "doca"}},
            "gpu-[01-02]: stack: rdma_stack: expected inbox, as DOCA-OFED is made for debian-12, el-8, el-9, "
            "ubuntu-22.04, ubuntu-24.04, found doca on debian-13; set provider to inbox for the distribution's own "
            "rdma-core (ofed 3.2.3; DOCA-Host packages as pinned by Azure/azhpc-images 8e9d055f, versions.json, "
            "https://github.com/Azure/azhpc-images)",
            id="DOCA on an OS without it",
        ),
    ],
)
def test_wrong_data_are_deployed_nowhere(data: dict[str, Any], line: str) -> None:
    Path("fleet.py").write_text(f"gpu = [(name, {data!r}) for name in ('gpu-01', 'gpu-02')]\n")
    count = "2 faults" if line.startswith("gpu-[01-02]") else "1 fault"
    result = invoke("deploy", "fleet.py", str(ROOT / "deploys/fabric.py"))
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"gpufleet: fleet.py: {HEAD.format(count)}\n  {line}\n"


def test_right_data_would_touch_hosts() -> None:
    for arguments in (["fabric", "check", "fleet.py"], ["deploy", "fleet.py", str(ROOT / "deploys/fabric.py")]):
        assert str(invoke(*arguments).exception) == "a host was touched"
