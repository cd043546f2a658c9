"""Versions to which packages are held on apt hosts, those included that are not installed yet."""

from __future__ import annotations

from pyinfra.api.facts import FactBase
from typing_extensions import override

#: One stanza of apt's preferences for each package held at a version.
HOLD_PINS = "/etc/apt/preferences.d/gpufleet-holds.pref"


class HoldPins(FactBase[dict[str, str]]):
    """Version of each package that is pinned for a hold."""

    default = dict

    @override
    def command(self) -> str:
        """Read the file of these pins alone."""
        return f"cat {HOLD_PINS} 2>/dev/null || true"

    @override
    def process(self, output: list[str]) -> dict[str, str]:
        """Parse `Package: <name>` and, below it, `Pin: version <version>`."""
        pins, name = {}, ""
        for line in output:
            if line.startswith("Package: "):
                name = line.removeprefix("Package: ").strip()
            elif line.startswith("Pin: version "):
                pins[name] = line.removeprefix("Pin: version ").strip()
        return pins
