"""What one host of a fabric said beyond the cabling: states of ports, counters, subnet managers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gpufleet.fabric.counters import Excess
from gpufleet.fabric.managers import Manager


@dataclass(frozen=True)
class Answers:
    """Everything is by GUID here; names come from the discovery."""

    #: State of each port that is not active, by GUID and port.
    states: Mapping[tuple[int, int], str] = field(default_factory=dict)
    #: Subnet managers by where they were asked from: `gpu-01 mlx5_0`.
    managers: Mapping[str, list[Manager]] = field(default_factory=dict)
    excesses: tuple[Excess, ...] = ()
    #: What could not be read, in a sentence each.
    notes: tuple[str, ...] = ()


#: A saved file holds the cabling alone.
OF_A_FILE = Answers(
    notes=("not in a saved file, so not checked: counters, states of ports that are down, subnet managers",)
)
