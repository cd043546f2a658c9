"""What dnf knows: versions to be had, versions locked, module streams, repositories switched on."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from pyinfra.api.facts import FactBase
from typing_extensions import override

from gpufleet.stack import rpm_versions

#: Where the versionlock plugin reads what may not move.
LOCK_LIST = "/etc/dnf/plugins/versionlock.list"

#: `name-[epoch:]version-release.arch`; release and arch may be patterns.
_LOCK = re.compile(r"(?P<name>[^\s#!]\S*)-(?P<version>[^-\s]+-[^-\s]+?)(\.(\*|noarch|x86_64|aarch64))?")


class AvailableVersions(FactBase[dict[str, list[str]]]):
    """Versions of packages that the enabled repositories and module streams offer, newest first, locked or not.

    From the metadata the host has; without any, none. Reading them again is the operations' work.
    """

    default = dict

    @override
    def command(self, packages: Sequence[str]) -> str:
        """Ask dnf's cache for all of them at once: each start of dnf reads all metadata."""
        return (
            "dnf --quiet --cacheonly --disableplugin=versionlock repoquery --showduplicates --qf '%{name} %{evr}\\n' "
            f"{shlex.join(packages)} 2>/dev/null || true"
        )

    @override
    def process(self, output: list[str]) -> dict[str, list[str]]:
        """One name and version a line; versions of several architectures are the same, other lines are plugins'."""
        offered: dict[str, set[str]] = {}
        for name, version in (line.split() for line in output if len(line.split()) == 2):
            offered.setdefault(name, set()).add(version)
        return {name: sorted(found, key=rpm_versions.order, reverse=True) for name, found in offered.items()}


class Locks(FactBase[list[str]]):
    """Lines of the lock list, comments included."""

    default = list

    @override
    def command(self) -> str:
        """Read the list."""
        return f"cat {LOCK_LIST} 2>/dev/null || true"

    @override
    def process(self, output: list[str]) -> list[str]:
        """Keep them as they are."""
        return list(output)


class LockedVersions(FactBase[dict[str, str]]):
    """Version to which each package is locked; the last entry of a package counts."""

    default = dict
    command = Locks.command

    @override
    def process(self, output: list[str]) -> dict[str, str]:
        """Parse `nvidia-driver-3:580.95.05-1.el9.*`."""
        return dict(entry for line in output if (entry := locked(line)))


def locked(line: str) -> tuple[str, str] | None:
    """Return the package and the version that an entry of the lock list names; None for any other line."""
    match = _LOCK.fullmatch(line.strip())
    return (match["name"], match["version"].removeprefix("0:")) if match else None


class ModuleStreams(FactBase[dict[str, str]]):
    """Stream of each module that is enabled, by dnf's own record."""

    default = dict

    @override
    def command(self) -> str:
        """Print dnf's files, one section a module."""
        return "grep -hsE '^(name|stream|state) *=' /etc/dnf/modules.d/*.module || true"

    @override
    def process(self, output: list[str]) -> dict[str, str]:
        """Parse `name=nvidia-driver` and, below it in any order, `stream=580-open` and `state=enabled`."""
        modules: list[dict[str, str]] = []
        for key, _, value in (line.partition("=") for line in output):
            if key.strip() == "name":
                modules.append({})
            if modules:
                modules[-1][key.strip()] = value.strip()
        return {row["name"]: row.get("stream", "") for row in modules if row.get("state") == "enabled"}
