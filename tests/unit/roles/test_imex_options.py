"""Options of the role imex that are refused, in their own words, and what it wants of the stack."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from roles.imex.options import Imex

NODES = ["10.0.0.1", "10.0.0.2"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"run": "yes"}, "Input should be 'auto', 'on', 'off' or 'dra'"),
        ({"run": "on"}, "expected nodes for a daemon that shall run, found none; list all hosts of the domain"),
        ({"run": "dra", "nodes": NODES}, "expected no nodes beside run: dra, found 2; leave one of them out"),
        ({"nodes": ["gpu-01"]}, "value is not a valid IPv4 or IPv6 address"),
        ({"nodes": [*NODES, "10.0.0.1"]}, "expected every node once, found 10.0.0.1 again; take it out"),
    ],
)
def test_refused(data: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Imex.model_validate(data)
    assert [error["msg"].removeprefix("Value error, ") for error in refused.value.errors()] == [message]


@pytest.mark.parametrize("run", ["auto", "on", "off", "dra"])
def test_wish(run: str) -> None:
    assert Imex.model_validate({"run": run, "nodes": NODES * (run != "dra")}).wish() == {"imex": run}
