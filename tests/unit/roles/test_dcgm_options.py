"""Options of the role dcgm that are refused, in their own words, and what it wants of the stack."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from roles.dcgm.options import Dcgm


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"state": "off"}, "Input should be 'present' or 'absent'"),
        ({"version": "4"}, "expected `auto` or a version, found '4'; write it like 4.4.1"),
        ({"version": "4.4.1-1"}, "expected `auto` or a version, found '4.4.1-1'; write it like 4.4.1"),
        ({"install_timeout": -1}, "Input should be greater than 0"),
    ],
)
def test_refused(data: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Dcgm.model_validate(data)
    assert [error["msg"].removeprefix("Value error, ") for error in refused.value.errors()] == [message]


@pytest.mark.parametrize(
    ("data", "wish"),
    [({}, "auto"), ({"version": "4.4.1-cuda13"}, "4.4.1-cuda13"), ({"state": "absent", "version": "4.4.1"}, None)],
)
def test_wish(data: dict[str, Any], wish: str | None) -> None:
    assert Dcgm.model_validate(data).wish() == {"dcgm": wish}
