"""NVIDIA's devices as containers are given them: names of a CDI specification, and links that systemd finds them by."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

#: What devices are of, and where `nvidia-ctk cdi generate` writes them for container runtimes to find.
KIND: Final = "nvidia.com/gpu"
SPECIFICATION: Final = "/var/run/cdi/nvidia.yaml"
DIRECTORIES: Final = ("/etc/cdi", "/var/run/cdi")
_DRIVER = re.compile(r"\blibcuda\.so\.(?P<version>\d+(\.\d+)+)")
_UUID = re.compile(r"(GPU|MIG)-")


@dataclass(frozen=True)
class Specification:
    """One CDI specification: the names of its devices, and the driver whose files it gives to containers."""

    names: tuple[str, ...] = ()
    driver: str = ""

    @classmethod
    def read(cls, text: str) -> Specification:
        """Read YAML or JSON; what is neither names nothing, as for a container runtime."""
        try:
            tree: Any = yaml.safe_load(text)
        except yaml.YAMLError:
            tree = None
        devices = tree.get("devices") if isinstance(tree, Mapping) else None
        rows = devices if isinstance(devices, list) else []
        names = tuple(str(row["name"]) for row in rows if isinstance(row, Mapping) and "name" in row)
        match = _DRIVER.search(text)
        return cls(names, match["version"] if match else "")


@dataclass(frozen=True)
class Devices:
    """The loaded driver, and what it can give to a container: GPUs, and the parts of those that are cut up (MIG)."""

    driver: str = ""
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Links:
    """NVIDIA's device nodes with their numbers, and links in /dev/char that lead to them: `195:0` to `/dev/nvidia0`.

    A link may lead to another node of the same device, as to that of a driver's container.
    """

    #: Numbers by path; empty for a file that is no device.
    nodes: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)

    @property
    def missing(self) -> tuple[str, ...]:
        """Nodes that systemd does not find by their numbers; a file that is no device has any link or none."""
        linked = set(self.links.values())
        return tuple(
            path
            for path, numbers in self.nodes.items()
            if (numbers not in self.links if numbers else path not in linked)
        )


def differences(specifications: Mapping[str, Specification], devices: Devices) -> Iterator[str]:
    """Yield what a container would be given wrongly by these files: another driver's, too few devices, or gone ones."""
    own = specifications.get(SPECIFICATION)
    if own is None:
        yield f"no {SPECIFICATION}"
        return
    if own.driver != devices.driver:
        yield f"files of driver {own.driver or 'none'}"
    named = {name for name in own.names if _UUID.match(name)}
    if missing := [name for name in devices.names if name not in named]:
        yield f"no {', '.join(missing)}"
    if gone := sorted(named - set(devices.names)):
        yield f"{', '.join(gone)}, which the driver does not list"
