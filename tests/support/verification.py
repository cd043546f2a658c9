"""For the tests of the verification: an inventory whose connections a test may break, and the command itself."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from gpufleet.project import ROOT
from tests.support.lab import INVENTORY

#: Checks that end in each way.
CHECKS = ROOT / "tests" / "support" / "checks"


class Inventory:
    """An inventory of the lab's hosts in which a test may break the connection of one."""

    def __init__(self, connections: dict[str, dict[str, Any]], path: Path) -> None:
        self.connections, self.path = connections, path
        self.write()

    def write(self, **changes: dict[str, Any]) -> None:
        hosts = {name: {**data, **changes.get(name, {})} for name, data in self.connections.items()}
        self.path.write_text(INVENTORY)
        self.path.with_suffix(".json").write_text(json.dumps(hosts))


def gpufleet(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command as an operator does."""
    command = [sys.executable, "-m", "gpufleet", "verify", f"--checks={CHECKS}", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)
