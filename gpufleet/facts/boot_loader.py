"""The boot loader's arguments for the kernel: what was asked of it from here, what it has, and what the kernel got."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field

from pyinfra.api.facts import FactBase
from typing_extensions import override

#: Where GRUB's configuration of Debian and Ubuntu takes drop-ins, and where EL's arguments are noted.
GRUB_DROP_INS, RECORDS = "/etc/default/grub.d", "/etc/gpufleet/kernel-arguments"
GRUB_CONFIGURATION = "/boot/grub/grub.cfg"


@dataclass(frozen=True)
class BootLoader:
    """Which tool is there, and the arguments under one key."""

    tool: str = ""
    #: Arguments that were asked for earlier, as the drop-in or the record has them.
    recorded: tuple[str, ...] = ()
    #: Arguments of every entry: those that each kernel of the menu would start with.
    entries: tuple[tuple[str, ...], ...] = ()
    #: Arguments of the kernel that runs.
    running: tuple[str, ...] = field(default=())


class BootLoaderArguments(FactBase[BootLoader]):
    """State of the boot loader for one key; `tool` is `update-grub`, `grubby`, or empty where neither is installed."""

    default = BootLoader

    @override
    def command(self, key: str) -> str:
        """Print the tool, the record, every entry and the running kernel's arguments."""
        record = f"{shlex.quote(f'{GRUB_DROP_INS}/{key}.cfg')} {shlex.quote(f'{RECORDS}/{key}.conf')}"
        return (
            "if command -v update-grub >/dev/null; then echo tool update-grub; "
            f"sed -n 's/^[[:space:]]*linux[[:space:]]/entry &/p' {GRUB_CONFIGURATION} 2>/dev/null; "
            "elif command -v grubby >/dev/null; then echo tool grubby; "
            "grubby --info=ALL 2>/dev/null | sed -n 's/^args=\"\\(.*\\)\"$/entry \\1/p'; fi; "
            f"cat {record} 2>/dev/null | sed 's/^/record /'; sed 's/^/running /' /proc/cmdline; true"
        )

    @override
    def process(self, output: list[str]) -> BootLoader:
        """Sort the lines by their first word; of the record only the line with the arguments counts."""
        rows = [line.partition(" ")[::2] for line in output]
        recorded = next((match[1] for kind, text in rows if kind == "record" and (match := _RECORDED.search(text))), "")
        return BootLoader(
            tool=next((text for kind, text in rows if kind == "tool"), ""),
            recorded=tuple(recorded.split()),
            entries=tuple(tuple(text.split()) for kind, text in rows if kind == "entry"),
            running=tuple(word for kind, text in rows if kind == "running" for word in text.split()),
        )


#: The drop-in adds to GRUB's own variable; the record of EL names the arguments alone.
_RECORDED = re.compile(r'^(?:GRUB_CMDLINE_LINUX="\$GRUB_CMDLINE_LINUX |ARGUMENTS=")(.*)"$')
