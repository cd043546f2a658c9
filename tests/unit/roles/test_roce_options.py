"""Options of the role roce: what follows from them, and what is refused in which words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from gpufleet import inventory
from gpufleet.errors import FaultsFoundError
from gpufleet.project import ROOT
from roles.roce.options import Roce

APART = (
    "expected congestion notifications apart from RoCE's data, found DSCP {} and priority {}; give them others: "
    "a notification must not wait behind the congestion that it is about"
)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"pfc": [4]}, "expected PFC on RoCE's own priority 3, found it on [4]; add 3, or leave pfc out"),
        ({"cnp": {"dscp": 26}}, APART.format(26, 6)),
        ({"cnp": {"priority": 3}}, APART.format(48, 3)),
        ({"pfc": [3, 6]}, APART.format(48, 6)),
        ({"dscp": 64}, "Input should be less than or equal to 63"),
        ({"priority": 8}, "Input should be less than or equal to 7"),
        ({"mtu": 1000}, "Input should be greater than or equal to 1280"),
        ({"trust": "vlan"}, "Input should be 'dscp' or 'pcp'"),
    ],
)
def test_refused(data: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Roce.model_validate(data)
    assert [error["msg"].removeprefix("Value error, ") for error in refused.value.errors()] == [message]


@pytest.mark.parametrize(
    ("data", "number"), [({}, 106), ({"ecn": False}, 104), ({"dscp": 24}, 98), ({"dscp": 0, "ecn": False}, 0)]
)
def test_traffic_class(data: dict[str, Any], number: int) -> None:
    assert Roce.model_validate(data).traffic_class == number


def test_every_default_has_a_source() -> None:
    table = yaml.safe_load((ROOT / "roles/roce/defaults.yaml").read_text())
    assert [name for name, row in table.items() if set(row) != {"value", "source"} or not row["source"]] == []


@pytest.mark.parametrize("dscp", [26, 24])
def test_nccl_in_another_class(dscp: int, tmp_path: Path) -> None:
    path = tmp_path / "fleet.py"
    nccl = {"version": None, "settings": {"NCCL_IB_TC": 106}}
    path.write_text(f"gpu = [('gpu-01', {{'roce': {{'dscp': {dscp}}}, 'nccl': {nccl}}})]\n")
    if dscp == 26:
        assert list(inventory.validate(path).hosts) == ["gpu-01"]
        return
    with pytest.raises(FaultsFoundError) as caught:
        inventory.validate(path)
    assert str(caught.value) == (
        f"{path}: expected no faults, found 1 fault; correct the lines below; nothing was touched\n"
        "  gpu-01: nccl.settings.NCCL_IB_TC: expected 98, which is roce.dscp 24 with its ECN bits, found 106; "
        "set it so, or change roce.dscp"
    )
