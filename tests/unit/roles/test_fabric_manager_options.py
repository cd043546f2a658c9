"""Options of the role fabric_manager that are refused, in their own words, and what it wants of the stack."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from roles.fabric_manager.options import FabricManager


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"run": "dra"}, "Input should be 'auto', 'on' or 'off'"),
        ({"run": "off", "version": "580.95.05"}, "expected no version beside run: off, found 580.95.05; leave one out"),
        ({"version": "580"}, "expected the driver's whole version, found '580'; leave it out, or write 580.95.05"),
        ({"install_timeout": 0}, "Input should be greater than 0"),
    ],
)
def test_refused(data: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        FabricManager.model_validate(data)
    assert [error["msg"].removeprefix("Value error, ") for error in refused.value.errors()] == [message]


@pytest.mark.parametrize(
    ("data", "wish"),
    [({}, "auto"), ({"run": "on"}, "on"), ({"run": "off"}, "off"), ({"version": "580.95.05"}, "580.95.05")],
)
def test_wish(data: dict[str, Any], wish: str) -> None:
    assert FabricManager.model_validate(data).wish() == {"fabric_manager": wish}
