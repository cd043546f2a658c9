"""Container hosts for the tests: one lab per test process, and inventories that say what its hosts should be."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gpufleet.converge.events import Event
from gpufleet.converge.results import RunResult
from gpufleet.converge.run import converge
from gpufleet.health.run import Verification, verify
from gpufleet.lab.inventory import hosts as lab_hosts
from gpufleet.lab.lab import Lab, LabHost
from gpufleet.project import ROOT
from tests.support.names import lab_name

__all__ = ["NEW", "OLD", "TESLA", "TRIXIE", "Fleet", "lab_name"]

#: Driver versions that Debian 12 offers side by side (bookworm and bookworm-backports).
OLD, NEW = "535.216.03", "535.261.03"
#: Debian 13's: the first in packages that carry the branch in their names and conflict with those of the second.
TESLA, TRIXIE = "535.274.02", "550.163.01"

#: What the inventory file of a test says; its data stand beside it, so that a test can change them between runs.
INVENTORY = """\
import json
import pathlib

_path = pathlib.Path(__file__).with_suffix(".json")
fleet = [(name, data) for name, data in json.loads(_path.read_text()).items()]
"""


@dataclass
class Fleet:
    """A lab, and an inventory of it that the tests may rewrite."""

    lab: Lab
    inventory: Path
    declared: dict[str, dict[str, Any]] = field(default_factory=dict)

    def declare(self, **hosts: Mapping[str, Any]) -> None:
        """Say what hosts should be: `declare(d12={"nvidia_driver": {"version": OLD}})`; other data stay."""
        for name, data in hosts.items():
            self.declared.setdefault(name, {}).update(data)
        ssh = dict(lab_hosts(self.lab.name))
        merged = {name: {"_sudo": True, **ssh[name], **data} for name, data in self.declared.items()}
        self.inventory.write_text(INVENTORY)
        self.inventory.with_suffix(".json").write_text(json.dumps(merged))

    def host(self, name: str) -> LabHost:
        """One host of the lab."""
        return self.lab.host(name)

    def deploy(self, *deploys: str, limit: tuple[str, ...] = ()) -> RunResult:
        """Run deploys (default deploys/site.py) over the inventory."""
        paths = [ROOT / "deploys" / name for name in deploys or ("site.py",)]
        return converge(self.inventory, paths, limit=limit, on_event=ignore)

    def verify(self, *roles: str, limit: tuple[str, ...] = ()) -> Verification:
        """Run the checks of roles (default all) over the inventory."""
        return verify(self.inventory, roles=roles, limit=limit)


def ignore(_event: Event) -> None:
    """Follow a run without showing its progress."""
