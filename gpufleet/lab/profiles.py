"""Hardware profiles of lab hosts: `hgx-h100` and its like, read from gpufleet/lab/profiles/*.yaml."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Self

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from gpufleet.errors import LabError

_FOLDER = Path(__file__).parent / "profiles"

Hex2 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{2}$")]
Hex4 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{4}$")]
Hex6 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{6}$")]
Subsystem = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{4}:[0-9a-f]{4}$")]
Address = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{4}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7]$")]


_LINK_SPEEDS = (2.5, 5.0, 8.0, 16.0, 32.0, 64.0)


def _known_speed(speed: float) -> float:
    if speed not in _LINK_SPEEDS:
        raise ValueError(f"expected one of {_LINK_SPEEDS}")
    return speed


LinkSpeed = Annotated[float, AfterValidator(_known_speed)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PciDevices(_Part):
    """Equal devices on the PCI bus."""

    what: str = Field(description="What a person would call them.")
    vendor: Hex4
    device: Hex4
    class_code: Hex6
    subsystem: Subsystem
    revision: Hex2
    link_speed: LinkSpeed = Field(description="Speed of the link in GT/s.")
    link_width: int = Field(description="Lanes of the link.", ge=1, le=32)
    vpd: dict[str, str] = Field(
        default={}, description="Vital product data: `name` of the product, and keywords of two characters."
    )
    addresses: dict[int, list[Address]] = Field(description="Bus addresses by NUMA node.")


class GpuModel(_Part):
    """What the driver would say of each GPU."""

    name: str
    memory_mib: int
    vbios: str
    power_limit_w: int
    max_clock_mhz: int


class Profile(_Part):
    """The hardware of one kind of host."""

    name: str
    summary: str
    governor: str = Field(description="Frequency governor at boot; empty where the machine has none.")
    secure_boot: bool = Field(default=False, description="Whether the firmware has Secure Boot on.")
    dmi: dict[str, str] = Field(description="Files of /sys/class/dmi/id.")
    gpu: GpuModel | None
    pci: list[PciDevices]

    @classmethod
    def load(cls, name: str) -> Self:
        """Read a profile by name; an unknown name raises LabError with the known ones."""
        if name not in names():
            nearest = get_close_matches(name, names(), n=1, cutoff=0.4)
            raise LabError(
                f"profile {name!r}",
                expected=f"one of {', '.join(names())}",
                found="no such profile",
                cure=f"did you mean {nearest[0]}?" if nearest else "choose one of them",
            )
        return cls.model_validate({"name": name, **yaml.safe_load((_FOLDER / f"{name}.yaml").read_text())})


def names() -> list[str]:
    """Names of all profiles."""
    return sorted(path.stem for path in _FOLDER.glob("*.yaml"))
