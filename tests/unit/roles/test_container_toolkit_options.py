"""Options of the role container_toolkit that are refused, in their own words, and what it wants of the stack."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from roles.container_toolkit.options import ContainerToolkit


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"state": "off"}, "Input should be 'present' or 'absent'"),
        ({"version": "1.19"}, "expected `auto` or a version, found '1.19'; write it like 1.19.1"),
        ({"version": "1.19.1-1"}, "expected `auto` or a version, found '1.19.1-1'; write it like 1.19.1"),
        ({"mode": "csv"}, "Input should be 'auto', 'cdi' or 'legacy'"),
        ({"log_level": "trace"}, "Input should be 'error', 'warning', 'info' or 'debug'"),
        ({"install_timeout": 0}, "Input should be greater than 0"),
        ({"default": True}, "Extra inputs are not permitted"),
    ],
)
def test_refused(data: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        ContainerToolkit.model_validate(data)
    assert [error["msg"].removeprefix("Value error, ") for error in refused.value.errors()] == [message]


@pytest.mark.parametrize(
    ("data", "wish"),
    [
        ({}, {"toolkit": "auto", "toolkit_installed": True}),
        ({"version": "1.19.1"}, {"toolkit": "1.19.1", "toolkit_installed": True}),
        ({"state": "absent", "version": "1.19.1"}, {}),
    ],
)
def test_wish(data: dict[str, Any], wish: dict[str, Any]) -> None:
    assert ContainerToolkit.model_validate(data).wish() == wish


def test_containers_get_no_gpus_by_asking_for_them() -> None:
    """As images ask for all of them by themselves."""
    options = ContainerToolkit.model_validate({})
    assert (options.devices_by_environment, options.devices_by_mounts, options.default_runtime) == (False, True, False)
