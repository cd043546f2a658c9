"""What the package manager would do, were it asked to install something: nothing is changed by asking."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from pyinfra.api.facts import FactBase
from typing_extensions import override

from gpufleet.facts.family import by_family
from gpufleet.stack.driver_guard import Change

#: `Inst libcuda1 [550.163.01-2] (580.95.05-1 NVIDIA:...)`, `Remv nvidia-smi [550.163.01-2]`.
_APT = re.compile(r"(?P<verb>Inst|Remv) (?P<name>[^\s:]+)\S*(?: \[(?P<before>[^\]]+)\])?(?: \((?P<after>\S+).*)?.*")
#: ` libnvidia-ml  x86_64  3:580.95.05-1.el9  cuda-rhel9-x86_64  2.1 M`, below a line that ends with a colon.
_DNF = re.compile(r" (?P<name>[^\s=]+) +(?:x86_64|aarch64|noarch|i686|src) +(?P<version>\S+) +\S+.*")
#: `     replacing  nvidia-driver-libs.x86_64 3:570.195.03-1.el9`, below the row of what obsoletes it.
_REPLACED = re.compile(r" {2,}replacing +(?P<name>\S+)\.(?:x86_64|aarch64|noarch|i686) .*")
_INSTALLED = "installed "


class InstallChanges(FactBase[list[Change]]):
    """Every package that an installation of these would install, replace or remove; none where it cannot be done.

    Holds are overridden as an installation overrides them; pins and locks count.
    """

    default = list

    @override
    def command(self, packages: Sequence[str]) -> str:
        """Let apt or dnf work it out; rpm adds what is installed, which dnf's table leaves out."""
        names = shlex.join(packages)
        return by_family(
            "LC_ALL=C apt-get install --simulate --quiet=2 --no-install-recommends --allow-downgrades "
            f"--allow-change-held-packages -- {names} 2>/dev/null || true",
            f"LC_ALL=C dnf --assumeno --cacheonly --setopt=install_weak_deps=False install -- {names} 2>/dev/null; "
            f"rpm -qa --queryformat '{_INSTALLED}%{{NAME}} %{{EVR}}\\n'",
        )

    @override
    def process(self, output: list[str]) -> list[Change]:
        """Only apt prints verbs."""
        found = [match for line in output if (match := _APT.fullmatch(line.strip()))]
        if found:
            return [
                Change(match["name"], match["before"] or "", match["after"] or "" if match["verb"] == "Inst" else "")
                for match in found
            ]
        return _dnf(output)


def _dnf(output: list[str]) -> list[Change]:
    rows = [line.removeprefix(_INSTALLED).split() for line in output if line.startswith(_INSTALLED)]
    installed = {row[0]: row[1] for row in rows if len(row) == 2}
    changes, section = [], ""
    for line in _whole(output):
        if not line.startswith(" ") and line.rstrip().endswith(":"):
            section = line.strip()
        elif match := _DNF.fullmatch(line.rstrip()):
            removed = section.startswith("Removing")
            changes.append(Change(match["name"], installed.get(match["name"], ""), "" if removed else match["version"]))
        elif match := _REPLACED.fullmatch(line.rstrip()):
            changes.append(Change(match["name"], installed.get(match["name"], "")))
    return changes


def _whole(output: list[str]) -> list[str]:
    """Put rows together again that dnf broke where a name was wider than its column; rows begin with one blank."""
    lines: list[str] = []
    for line in output:
        is_rest = line.startswith("  ") and not _REPLACED.fullmatch(line.rstrip())
        if is_rest and lines and lines[-1].startswith(" "):
            lines[-1] = f"{lines[-1].rstrip()} {line.strip()}"
        else:
            lines.append(line)
    return lines
