"""Options of the role `cuda`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from gpufleet.options import RoleOptions


def _is_a_toolkit(version: str) -> str:
    if not re.fullmatch(r"\d{1,2}\.\d{1,2}(\.\d{1,2})?", version):
        raise ValueError(f"expected a toolkit's version, found {version!r}; write it like 12.9 or 12.9.1")
    return version


def _minor(version: str) -> str:
    """An update replaces its toolkit: 12.9.1 is installed where 12.9 is."""
    return ".".join(version.split(".")[:2])


Toolkit = Annotated[str, AfterValidator(_is_a_toolkit)]


class Cuda(RoleOptions, key="cuda"):
    """CUDA toolkits from NVIDIA's repository, or the distribution's own."""

    toolkits: list[Toolkit] = Field(
        [], description="Toolkits side by side, such as `12.9` and `13.0.2`; those taken out of the list are removed."
    )
    default: Toolkit | None = Field(
        None, description="Toolkit that `/usr/local/cuda` leads to; none leaves it to the matrix: the newest."
    )
    source: Literal["nvidia", "distribution"] | None = Field(
        None, description="Whose packages; none takes the driver's source."
    )
    compat: bool = Field(
        False,
        description="Install the driver libraries of a newer toolkit's time, on data-center GPUs with older drivers.",
    )
    install_timeout: int = Field(2400, gt=0, description="Seconds one package installation may take.")

    @model_validator(mode="after")
    def _toolkits_fit_together(self) -> Self:
        minors = [_minor(toolkit) for toolkit in self.toolkits]
        twice = sorted({minor for minor in minors if minors.count(minor) > 1})
        if twice:
            raise ValueError(f"expected each toolkit once, found {', '.join(twice)} again; take one of them out")
        if self.default and _minor(self.default) not in minors:
            listed = ", ".join(self.toolkits) or "no toolkits"
            raise ValueError(
                f"expected a default among the toolkits ({listed}), found {self.default}; add it or choose one of them"
            )
        if self.compat and not self.toolkits:
            raise ValueError("expected toolkits beside compat, found none; add one or leave compat out")
        return self

    def wish(self) -> Mapping[str, Any]:
        """Return toolkits, default and compatibility libraries; none of them where there are no toolkits."""
        if not self.toolkits:
            return {}
        return {
            "cuda": tuple(self.toolkits),
            "cuda_default": self.default,
            "cuda_compat": self.compat or None,
            "source": self.source,
        }
