"""What is wanted of a host's stack: by its roles and by the key `stack` of the inventory, together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from gpufleet import roles
from gpufleet.options import HasData, RoleOptions
from gpufleet.stack.verdicts import Verdict
from gpufleet.stack.wanted import StackData
from gpufleet.stack.wish import Wish


def wishes(host: HasData) -> Wish | Verdict:
    """Return the wishes of a host put together, or the verdict that two of them contradict each other.

    A role whose key is not in the host's data wants nothing there.
    """
    known: Mapping[str, type[RoleOptions]] = {**roles.discover(), StackData.key: StackData}
    parts = {name: _said(options.of(host).wish()) for name, options in known.items() if host.data.get(name) is not None}
    try:
        return Wish.merged(parts)
    except ValidationError:
        raise  # a role's own mistake: its options let a value pass that no wish can have
    except ValueError as error:
        field, _, found = str(error).partition(": ")
        return Verdict("error", field, "one value", found, "say it in one place", f"stack.{field}", "inventory")


def _said(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what a role has no opinion about, so that another place may have one."""
    return {name: value for name, value in fields.items() if value is not None}
