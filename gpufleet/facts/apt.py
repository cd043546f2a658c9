"""What apt and dpkg know: holds, versions installed and to be had, archive sources."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from pyinfra.api.facts import FactBase
from typing_extensions import override

_DPKG_QUERY = "dpkg-query -W -f '${db:Status-Status} ${Package} ${Version}\\n'"

#: From this priority on apt installs a version even below the one that is installed.
DOWNGRADE_PRIORITY = 1000


class HeldPackages(FactBase[set[str]]):
    """Packages on hold, without architecture."""

    default = set

    @override
    def command(self) -> str:
        """Print every selection: quicker than `apt-mark showhold`, which opens apt's cache."""
        return "dpkg-query -W -f '${db:Status-Want} ${Package}\\n' '*' 2>/dev/null || true"

    @override
    def process(self, output: list[str]) -> set[str]:
        """Keep the names whose selection is `hold`."""
        return {line.removeprefix("hold ") for line in output if line.startswith("hold ")}


class AvailableVersions(FactBase[dict[str, list[str]]]):
    """Versions of packages that the archives in use offer, newest first; an installed version alone is not one."""

    default = dict

    @override
    def command(self, packages: Sequence[str]) -> str:
        """Ask apt's cache for all of them at once."""
        return f"apt-cache madison {shlex.join(packages)} 2>/dev/null || true"

    @override
    def process(self, output: list[str]) -> dict[str, list[str]]:
        """Parse `name | 2.10-3 | URI bookworm/main amd64 Packages`; source packages are other lines."""
        rows = [[field.strip() for field in line.split("|")] for line in output if line.endswith("Packages")]
        offered: dict[str, dict[str, None]] = {}
        for name, version in (row[:2] for row in rows if len(row) == 3):
            offered.setdefault(name, {})[version] = None
        return {name: [*found] for name, found in offered.items()}


class PinnedVersions(FactBase[dict[str, str]]):
    """The version that apt's preferences demand of a package, downwards if need be; unpinned packages are left out."""

    default = dict

    @override
    def command(self, packages: Sequence[str]) -> str:
        """Ask apt for its policy."""
        return f"LC_ALL=C apt-cache policy {shlex.join(packages)} 2>/dev/null || true"

    @override
    def process(self, output: list[str]) -> dict[str, str]:
        """Keep the candidates that the version table lists with a priority of 1000 or more."""
        pinned, name, candidate = {}, "", ""
        for line in output:
            words = line.removeprefix(" ***").split()
            if not line.startswith(" "):
                name = line.rstrip(":")
            elif words[0] == "Candidate:":
                candidate = words[1]
            elif words[0] == candidate and int(words[1]) >= DOWNGRADE_PRIORITY:
                pinned[name] = candidate
        return pinned


class PackageStates(FactBase[dict[str, str]]):
    """State of packages in dpkg's words: `installed`, `config-files`, `half-configured`, `not-installed` ..."""

    default = dict

    @override
    def command(self, packages: Sequence[str]) -> str:
        """Ask dpkg; it says nothing of a package it never met."""
        return f"dpkg-query -W -f '${{Package}} ${{db:Status-Status}}\\n' {shlex.join(packages)} 2>/dev/null || true"

    @override
    def process(self, output: list[str]) -> dict[str, str]:
        """Parse `hello installed`."""
        return dict(line.split() for line in output)


class InstalledVersions(FactBase[dict[str, str]]):
    """Version of each package that is installed and configured: of these packages, else of all."""

    default = dict

    @override
    def command(self, packages: Sequence[str] | None = None) -> str:
        """Ask dpkg."""
        names = f" {shlex.join(packages)}" if packages else ""
        return f"{_DPKG_QUERY}{names} 2>/dev/null || true"

    @override
    def process(self, output: list[str]) -> dict[str, str]:
        """Keep what is fully installed: half-configured is not."""
        rows = [line.split() for line in output]
        return {row[1]: row[2] for row in rows if len(row) == 3 and row[0] == "installed"}
