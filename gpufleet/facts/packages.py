"""What the host's package manager knows, on either family; nothing on a host of another.

Versions are Debian's or rpm's, `[epoch:]version-revision` both.
"""

from __future__ import annotations

from collections.abc import Sequence

from pyinfra.api.facts import FactBase
from typing_extensions import override

from gpufleet.facts import apt, apt_holds, dnf, rpm
from gpufleet.facts.family import by_family


class InstalledVersions(FactBase[dict[str, str]]):
    """Version of each package that is installed and configured: of these packages or patterns, else of all."""

    default = dict

    @override
    def command(self, packages: Sequence[str] | None = None) -> str:
        """Ask dpkg or rpm."""
        return by_family(
            apt.InstalledVersions().command(packages=packages), rpm.InstalledVersions().command(packages=packages)
        )

    @override
    def process(self, output: list[str]) -> dict[str, str]:
        """Both print `installed <name> <version>`; dpkg prints other states too."""
        rows = [line for line in output if line.startswith("installed ") and len(line.split()) == 3]
        return rpm.InstalledVersions().process(rows)


class AvailableVersions(FactBase[dict[str, list[str]]]):
    """Versions of packages that the repositories in use offer, newest first."""

    default = dict

    @override
    def command(self, packages: Sequence[str]) -> str:
        """Ask the lists that apt has, or dnf's cache."""
        return by_family(apt.AvailableVersions().command(packages), dnf.AvailableVersions().command(packages))

    @override
    def process(self, output: list[str]) -> dict[str, list[str]]:
        """Only apt draws columns."""
        is_apt = any("|" in line for line in output)
        return apt.AvailableVersions().process(output) if is_apt else dnf.AvailableVersions().process(output)


class HeldPackages(FactBase[set[str]]):
    """Packages that no upgrade moves: on hold, or locked to a version."""

    default = set

    @override
    def command(self) -> str:
        """Ask dpkg, or read the lock list."""
        return by_family(apt.HeldPackages().command(), dnf.Locks().command())

    @override
    def process(self, output: list[str]) -> set[str]:
        """A line of dpkg's has a blank in it, an entry of the lock list none."""
        return apt.HeldPackages().process(output) | set(dnf.LockedVersions().process(output))


class LockedVersions(FactBase[dict[str, str]]):
    """Version that `packages.held` locked each package to, installed or not."""

    default = dict

    @override
    def command(self) -> str:
        """Read the pins of holds, or the lock list."""
        return by_family(apt_holds.HoldPins().command(), dnf.Locks().command())

    @override
    def process(self, output: list[str]) -> dict[str, str]:
        """Lines of a pin have a blank in them, entries of the lock list none."""
        return apt_holds.HoldPins().process(output) | dnf.LockedVersions().process(output)
