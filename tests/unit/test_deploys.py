"""The deploy files: what an operator runs, in the order that site.py states once."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from gpufleet.project import ROOT
from tests.support.plans import plan

FILES = sorted((ROOT / "deploys").glob("*.py"))
SITE, FABRIC = ROOT / "deploys/site.py", ROOT / "deploys/fabric.py"


def calls(path: Path) -> list[str]:
    """Names of the roles that a deploy file runs, in their order."""
    rows = (node.value for node in ast.parse(path.read_text()).body if isinstance(node, ast.Expr))
    return [row.func.id for row in rows if isinstance(row, ast.Call) and isinstance(row.func, ast.Name)]


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_what_several_roles_do_together_keeps_the_order_of_the_site(path: Path) -> None:
    order, own = calls(SITE), calls(path)
    assert own
    assert [role for role in order if role in own] == [role for role in own if role in order]


def test_the_fabric_is_stack_managers_and_addresses() -> None:
    assert calls(FABRIC) == ["infiniband", "subnet_manager", "ipoib", "roce"]


def test_a_host_without_the_keys_of_a_fabric_is_left_alone() -> None:
    def fabric() -> None:
        exec(compile(FABRIC.read_text(), str(FABRIC), "exec"), {})

    left = {
        "InfiniBand | Leave InfiniBand alone": "infiniband",
        "Subnet manager | Manage no subnet": "subnet_manager",
        "IPoIB | Leave IPoIB alone": "ipoib",
        "RoCE | Leave RoCE alone": "roce",
    }
    assert plan(fabric) == "".join(
        f"{operation}\n     nothing to do: the host's data have no key {key}\n" for operation, key in left.items()
    )
