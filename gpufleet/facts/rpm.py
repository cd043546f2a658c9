"""What rpm knows: versions installed, and keys it trusts."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from pyinfra.api.facts import FactBase
from typing_extensions import override

from gpufleet.stack import rpm_versions

_QUERY = "rpm -qa --qf 'installed %{NAME} %|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE}\\n'"


class InstalledVersions(FactBase[dict[str, str]]):
    """Version, `[epoch:]version-release`, of each installed package: of these, else of all.

    Of a package that may be installed in several versions, such as a kernel, the newest.
    """

    default = dict

    @override
    def command(self, packages: Sequence[str] | None = None) -> str:
        """Ask rpm; names may be patterns. Public keys count as packages and are left out."""
        names = f" {shlex.join(packages)}" if packages else ""
        return f"{_QUERY}{names} 2>/dev/null | grep -v '^installed gpg-pubkey ' || true"

    @override
    def process(self, output: list[str]) -> dict[str, str]:
        """Parse `installed kernel-core 5.14.0-570.12.1.el9_6`."""
        newest: dict[str, str] = {}
        for line in output:
            _, name, version = line.split()
            newest[name] = max(newest.get(name, version), version, key=rpm_versions.order)
        return newest


class KernelVersions(FactBase[set[str]]):
    """Releases for which a kernel's own package carries this name, as `uname -r` prints them: `kernel-devel`."""

    default = set

    @override
    def command(self, package: str) -> str:
        """Ask rpm which `<package>-uname-r` capabilities are there."""
        capability = shlex.quote(f"{package}-uname-r")
        return f"rpm -q --whatprovides {capability} --qf '[%{{PROVIDES}} %{{PROVIDEVERSION}}\\n]' 2>/dev/null || true"

    @override
    def process(self, output: list[str]) -> set[str]:
        """Keep the capabilities named `<package>-uname-r`."""
        rows = (line.split() for line in output)
        return {row[1] for row in rows if len(row) == 2 and row[0].endswith("-uname-r")}


class TrustedKeys(FactBase[set[str]]):
    """Short ids, eight lowercase hexadecimal digits, of the keys that rpm trusts."""

    default = set

    @override
    def command(self) -> str:
        """Ask rpm for the packages it makes of keys."""
        return "rpm -q gpg-pubkey --qf '%{VERSION}\\n' 2>/dev/null || true"

    @override
    def process(self, output: list[str]) -> set[str]:
        """Rows that say that there is no key are longer than an id."""
        return {line[-8:] for line in output if " " not in line and len(line) >= 8}
