"""What the kernel runs: its release, loaded modules, and who keeps a module from being unloaded."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from pyinfra.api.facts import FactBase
from typing_extensions import override


def module_name(name: str) -> str:
    """Spell a module's name as sysfs does: `nvidia-uvm` is `nvidia_uvm`."""
    return name.replace("-", "_")


class RunningKernel(FactBase[str]):
    """Release of the running kernel, as `uname -r` prints it."""

    default = str

    @override
    def command(self) -> str:
        """Ask the kernel."""
        return "uname -r"

    @override
    def process(self, output: list[str]) -> str:
        """Take the one line."""
        return output[0].strip()


class LoadedModules(FactBase[dict[str, str]]):
    """Version of each loaded module, `""` where it declares none. Built-in code is no module and is left out."""

    default = dict

    @override
    def command(self) -> str:
        """Read sysfs: only a loadable module has an `initstate`, and /proc/modules tells no versions."""
        return (
            "for m in /sys/module/*; do "
            '[ -r "$m/initstate" ] || continue; v=""; '
            '[ -r "$m/version" ] && read -r v <"$m/version"; '
            'echo "${m##*/} $v"; done; true'
        )

    @override
    def process(self, output: list[str]) -> dict[str, str]:
        """Parse `nvidia 535.216.03`."""
        return {name: version.strip() for name, _, version in (line.partition(" ") for line in output)}


@dataclass(frozen=True, order=True)
class Holder:
    """Something that uses a module: another module (pid 0), or a process that has its device open."""

    name: str
    pid: int = 0
    user: str = ""

    def __str__(self) -> str:
        return f"process {self.pid} ({self.name}, user {self.user})" if self.pid else f"module {self.name}"


def holders_command(modules: Sequence[str]) -> str:
    """Return the shell command that prints, one a line, who uses these modules, in the words of `str(Holder)`.

    A module named in the list does not count against another: they go together. Devices go by the drivers'
    habit of naming them after the module, as /dev/nvidia0, /dev/nvidiactl and /dev/nvidia-uvm are. A process that
    ends meanwhile, as nvidia-smi of a monitor does, is none.
    """
    names = [module_name(module) for module in modules]
    devices = " -o ".join(f"-lname {shlex.quote('/dev/' + name.replace('_', '?') + '*')}" for name in names)
    within = "|".join(names)
    return (
        f"for m in {shlex.join(names)}; do for h in /sys/module/$m/holders/*; do "
        f'[ -e "$h" ] || continue; case "${{h##*/}}" in {within}) ;; *) echo "module ${{h##*/}}";; esac; done; done; '
        f"find /proc/[0-9]*/fd \\( {devices} \\) -printf '%h\\n' 2>/dev/null | sort -u | while read -r d; do "
        'p="${d%/fd}"; c=$(cat "$p/comm") && u=$(stat -c %U "$p") || continue; '
        'echo "process ${p#/proc/} ($c, user $u)"; done 2>/dev/null'
    )


class ModuleHolders(FactBase[list[Holder]]):
    """Who uses these modules: other modules, and processes that have one of their devices open."""

    default = list

    @override
    def command(self, modules: Sequence[str]) -> str:
        """Read sysfs and /proc; needs root to see the processes of others."""
        return f"{holders_command(modules)}; true"

    @override
    def process(self, output: list[str]) -> list[Holder]:
        """Parse `process 4242 (train-job, user alice)` and `module gdrdrv`."""
        return sorted({_holder(line) for line in output if line.strip()})


def _holder(line: str) -> Holder:
    kind, _, rest = line.partition(" ")
    if kind == "module":
        return Holder(rest)
    pid, _, described = rest.partition(" ")
    command, _, user = described.removeprefix("(").removesuffix(")").rpartition(", user ")
    return Holder(command, int(pid), user)
