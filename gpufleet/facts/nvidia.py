"""The NVIDIA driver: what is loaded, what lies on disk, and which daemons keep it busy."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field

from pyinfra.api.facts import FactBase
from typing_extensions import override

#: Daemons that hold the driver open and can be stopped and started around a swap, in the order to stop them.
DAEMONS = ("nvidia-dcgm", "nvidia-imex", "nvidia-fabricmanager", "nvidia-persistenced")


@dataclass(frozen=True)
class Driver:
    """The places where a driver version lives, an empty string where there is none."""

    loaded: str = ""
    #: Build of the loaded module: `open` or `proprietary`.
    flavor: str = ""
    #: Version of the module file that the running kernel would load.
    on_disk: str = ""
    #: Version of libnvidia-ml, which nvidia-smi and monitoring load.
    userspace: str = ""
    #: Options of the loaded module by their names in /proc, without `NVreg_`.
    parameters: dict[str, str] = field(default_factory=dict)


class DriverState(FactBase[Driver]):
    """The driver in the kernel, its module file of this name, and its library: `Driver(loaded="535.216.03", ...)`."""

    default = Driver

    @override
    def command(self, module: str) -> str:
        """Read /proc for the options: the module exports none in /sys/module/nvidia/parameters."""
        return (
            "[ ! -d /sys/module/nvidia ] || echo loaded $(cat /sys/module/nvidia/version 2>/dev/null || echo unknown); "
            f"echo on_disk $(modinfo -F version {shlex.quote(module)} 2>/dev/null); "
            "echo userspace $(readlink -f $(ldconfig -p | sed -n 's/.*libnvidia-ml[.]so[.]1 .*=> //p' | head -n 1)); "
            "sed -n 's/^NVRM version: /banner /p' /proc/driver/nvidia/version 2>/dev/null; "
            "sed 's/^/parameter /' /proc/driver/nvidia/params 2>/dev/null; true"
        )

    @override
    def process(self, output: list[str]) -> Driver:
        """Parse lines that start with the word that says what they are."""
        rows = [line.strip().partition(" ")[::2] for line in output]
        last = dict(rows)
        banner = last.get("banner", "")
        return Driver(
            loaded=last.get("loaded", ""),
            flavor="" if not banner else "open" if "Open Kernel Module" in banner else "proprietary",
            on_disk=last.get("on_disk", ""),
            userspace=last.get("userspace", "").partition("libnvidia-ml.so.")[2],
            parameters=dict(_parameter(rest) for word, rest in rows if word == "parameter"),
        )


def _parameter(line: str) -> tuple[str, str]:
    """Parse `RestrictProfilingToAdminUsers: 1`; string options stand in quotes."""
    name, _, value = line.partition(":")
    return name.strip(), value.strip().strip('"')


@dataclass(frozen=True)
class Daemon:
    """A systemd unit of the driver; its process id is 0 where it does not run."""

    active: bool
    enabled: bool
    pid: int


class Daemons(FactBase[dict[str, Daemon]]):
    """Daemons of the driver that are installed: `{"nvidia-persistenced": Daemon(True, True, 812)}`."""

    default = dict

    @override
    def command(self) -> str:
        """Ask systemd, which answers for units that do not exist too."""
        return f"systemctl show --property=Id,ActiveState,UnitFileState,MainPID {shlex.join(DAEMONS)}"

    @override
    def process(self, output: list[str]) -> dict[str, Daemon]:
        """Parse one block of properties per unit, with blank lines between them."""
        blocks = "\n".join(line.strip() for line in output).split("\n\n")
        units = [dict(line.split("=", 1) for line in block.splitlines() if "=" in line) for block in blocks]
        return {
            unit["Id"].removesuffix(".service"): Daemon(
                active=unit["ActiveState"] == "active",
                enabled=unit["UnitFileState"] == "enabled",
                pid=int(unit["MainPID"]),
            )
            for unit in units
            if unit.get("UnitFileState")
        }


#: What NVIDIA's installer leaves on a host: its uninstaller, itself, and its log.
RUNFILE_TRACES = ("/usr/bin/nvidia-uninstall", "/usr/bin/nvidia-installer", "/var/log/nvidia-installer.log")


class RunfileTraces(FactBase[list[str]]):
    """Files by which a driver betrays that NVIDIA's runfile installer put it there, which no package manager knows."""

    default = list

    @override
    def command(self) -> str:
        """Look for the files."""
        return f"for f in {shlex.join(RUNFILE_TRACES)}; do [ ! -e $f ] || echo $f; done"

    @override
    def process(self, output: list[str]) -> list[str]:
        """One path a line."""
        return [line.strip() for line in output if line.strip()]
