"""Registry mirrors: `hosts.toml` below certs.d, one directory for each registry, read at every pull."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from gpufleet.containers.schema import REGISTRIES
from gpufleet.containers.toml import text

HEADER = "Managed by gpufleet; do not edit"
Capability = Literal["pull", "resolve", "push"]
_URL = r"^https?://[^\s/]+(/\S*)?$"


class Mirror(BaseModel):
    """One host that stands for a registry."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(pattern=_URL, description="URL, with a path where the mirror has one: `https://mirror:5000/hub`.")
    capabilities: list[Capability] = Field(
        default=["pull", "resolve"], min_length=1, description="What it is asked for."
    )
    ca: str | None = Field(default=None, pattern=r"^/\S+$", description="File on the host with the mirror's authority.")
    skip_verify: bool = Field(default=False, description="Believe any certificate; for tests.")
    override_path: bool = Field(
        default=False, description="The URL's path is the API's root, to which /v2 is not added."
    )


class Registry(BaseModel):
    """Where images of one registry come from: the mirrors in their order, then the server."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    server: str | None = Field(
        default=None, pattern=_URL, description="URL after the mirrors; the registry itself where none is given."
    )
    mirrors: list[Mirror] = Field(default=[], description="Mirrors, in the order in which they are asked.")


def path_of(registry: str) -> str:
    """Return the file of a registry such as `nvcr.io`, or of `_default` for all that have none."""
    return f"{REGISTRIES}/{registry}/hosts.toml"


def hosts(registry: Registry) -> str:
    """Return the file's text."""
    tree: dict[str, Any] = {"server": registry.server} if registry.server else {}
    for mirror in registry.mirrors:
        tree.setdefault("host", {})[mirror.url] = _host(mirror)
    return text(tree, HEADER)


def _host(mirror: Mirror) -> dict[str, Any]:
    given = {"ca": mirror.ca, "skip_verify": mirror.skip_verify, "override_path": mirror.override_path}
    return {"capabilities": mirror.capabilities, **{name: value for name, value in given.items() if value}}
