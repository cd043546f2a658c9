"""The wishes of a host's roles and of the key `stack`, put together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import ValidationError

from gpufleet import roles
from gpufleet.inventory.hosts import InventoryHost
from gpufleet.options import RoleOptions
from gpufleet.stack.host.wishes import wishes
from gpufleet.stack.wish import Wish


class Driver(RoleOptions, key="driver"):
    version: str | None = None

    def wish(self) -> Mapping[str, Any]:
        return {"driver": self.version, "source": "nvidia"}


class Toolkit(RoleOptions, key="toolkit_role"):
    versions: tuple[str, ...] = ("13.0",)

    def wish(self) -> Mapping[str, Any]:
        return {"cuda": self.versions}


class Wrong(RoleOptions, key="wrong"):
    def wish(self) -> Mapping[str, Any]:
        return {"profile": "tiny"}


@pytest.fixture(autouse=True)
def _these_roles(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {role.key: role for role in (Driver, Toolkit, Wrong)}
    monkeypatch.setattr(roles, "discover", lambda: known)


def host(**data: Any) -> InventoryHost:
    return InventoryHost("gpu-1", "ssh", (), data)


def test_roles_and_the_inventory_add_up() -> None:
    given = host(driver={"version": "580"}, toolkit_role={}, stack={"kubelet": "1.34.1", "overlay": "rows.yaml"})
    assert wishes(given) == Wish.model_validate(
        {"driver": "580", "source": "nvidia", "cuda": ("13.0",), "kubelet": "1.34.1"}
    )


def test_a_role_without_data_wants_nothing() -> None:
    assert wishes(host(driver={"version": "580"})) == Wish.model_validate({"driver": "580", "source": "nvidia"})
    assert wishes(host()) == Wish.model_validate({})


def test_the_inventory_fills_in_what_a_role_leaves_open() -> None:
    assert wishes(host(driver={}, stack={"driver": "570"})) == Wish.model_validate(
        {"driver": "570", "source": "nvidia"}
    )


def test_two_that_differ_are_a_verdict() -> None:
    verdict = wishes(host(driver={"version": "580"}, stack={"driver": "570"}))
    assert str(verdict) == (
        "error: driver: expected one value, found driver says '580', stack says '570'; say it in one place "
        "(row stack.driver; inventory)"
    )


def test_a_role_that_wants_the_impossible_is_a_mistake_in_the_role() -> None:
    with pytest.raises(ValidationError):
        wishes(host(wrong={}))
