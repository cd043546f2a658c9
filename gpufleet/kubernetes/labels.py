"""Labels of a node that say what its GPUs are and where it stands: computed from facts and the inventory. Pure.

The kubelet sets them when it registers, and corrects none of a node that is there: what changes later is set through
the API server, by the node's own rights, which the admission of nodes (NodeRestriction) allows for these.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from gpufleet.kubernetes.names import DOMAIN, safe_value
from gpufleet.stack.gpus import product

#: Keys that are computed: gpufleet's alone.
COMPUTED = tuple(
    f"{DOMAIN}/{name}"
    for name in ("gpu-count", "gpu-model", "driver", "driver-branch", "rack", "rail", "nvlink-domain")
)


@dataclass(frozen=True)
class Place:
    """Where a node stands, as the inventory says it; what is empty is not said."""

    rack: str = ""
    rail: str = ""
    nvlink_domain: str = ""


def of_node(gpus: tuple[str, ...], driver: str, place: Place, own: Mapping[str, str]) -> dict[str, str]:
    """Return the labels of a node; the operator's own win.

    + gpus: PCI device ids of the NVIDIA GPUs, one for each
    + driver: version of the driver that is wanted, empty for none
    + place: where it stands
    + own: labels of the inventory
    """
    of_gpus = (str(len(gpus)) if gpus else "", _model(gpus), driver, driver.partition(".")[0])
    values = (*of_gpus, place.rack, place.rail, place.nvlink_domain)
    labels = {key: safe_value(value) for key, value in zip(COMPUTED, values, strict=True)}
    return dict(sorted({**{key: value for key, value in labels.items() if value}, **own}.items()))


def _model(gpus: tuple[str, ...]) -> str:
    """Name the GPUs: a node with several kinds says so, as nobody could choose it by one."""
    kinds = Counter(product(device) or f"pci-{device}" for device in gpus)
    return "mixed" if len(kinds) > 1 else next(iter(kinds), "")
