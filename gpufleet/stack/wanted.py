"""The key `stack` of the inventory: what is wanted of the stack beyond the roles, and where rows and mirrors are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from gpufleet.options import RoleOptions
from gpufleet.options.repository import RepositoryOptions
from gpufleet.stack.wish import Wish


class StackData(RoleOptions, Wish, key="stack"):
    """Wishes that no role has, such as a kubelet that another tool installs, the overlay, and the site's mirrors."""

    overlay: str | None = Field(
        None, description="File with rows of your own, relative to the inventory; else `stack.yaml` beside it, if any."
    )
    repositories: dict[str, RepositoryOptions] = Field(
        {}, description="Mirrors for vendors' repositories, by the name that the matrix has for each, such as `cuda`."
    )

    def wish(self) -> Mapping[str, Any]:
        """Return what was given, as fields of a wish."""
        return {name: getattr(self, name) for name in self.model_fields_set - {"overlay", "repositories"}}
