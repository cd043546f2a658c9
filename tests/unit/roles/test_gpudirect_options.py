"""Options of the role gpudirect that are refused, in their own words, and what it wants of the stack."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from roles.gpudirect.options import Gpudirect


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"rdma": "dmabuf"}, "Input should be 'auto', 'peermem', 'dma-buf' or 'off'"),
        ({"gdrcopy": "on"}, "expected `off`, `auto` or a version, found 'on'; write it like 2.5"),
        ({"gdrcopy": "2"}, "expected `off`, `auto` or a version, found '2'; write it like 2.5"),
        ({"install_timeout": 0}, "Input should be greater than 0"),
    ],
)
def test_refused(data: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Gpudirect.model_validate(data)
    assert [error["msg"].removeprefix("Value error, ") for error in refused.value.errors()] == [message]


@pytest.mark.parametrize(
    ("data", "wish"),
    [
        ({}, {"rdma": "auto", "gdrcopy": None}),
        ({"rdma": "peermem", "gdrcopy": "2.5.1"}, {"rdma": "peermem", "gdrcopy": "2.5.1"}),
        ({"rdma": "off", "gdrcopy": "auto"}, {"rdma": "off", "gdrcopy": "auto"}),
    ],
)
def test_wish(data: dict[str, Any], wish: dict[str, str | None]) -> None:
    assert Gpudirect.model_validate(data).wish() == wish
