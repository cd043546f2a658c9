"""What perftest must show of an adapter, by its generation and the rate of its port: data in speeds.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field

TABLE = Path(__file__).with_name("speeds.yaml")


class Speed(BaseModel):
    """One row: bandwidths in Gb/s that an average may not fall below, latencies in microseconds it may not exceed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    generation: str
    #: PCI device ids of vendor 15b3.
    devices: tuple[str, ...]
    #: Rate of the port in Gb/s.
    rate: int = Field(gt=0)
    bandwidth: float = Field(gt=0)
    gpu_bandwidth: float = Field(gt=0)
    #: By processor architecture, as `uname -m` prints it.
    latency: Mapping[str, float]
    #: Whether the source has these numbers for this adapter at this rate; else they are derived from others.
    verified: bool
    source: str
    read: date

    @property
    def name(self) -> str:
        """The row as messages call it: `ConnectX-7 at 400 Gb/s`."""
        return f"{self.generation} at {self.rate} Gb/s"


@cache
def speeds() -> tuple[Speed, ...]:
    """Return the table; raises pydantic's ValidationError where a row is not whole."""
    rows = yaml.safe_load(TABLE.read_text(encoding="utf-8"))["rows"]
    return tuple(Speed.model_validate(row) for row in rows)


def speed(device: str, rate: float) -> Speed | None:
    """Return the row of an adapter whose port runs at a rate; None where nobody has said what it must show."""
    return next((row for row in speeds() if device in row.devices and row.rate == rate), None)
