"""Which boot this is, and what waits for the next one."""

from __future__ import annotations

from pyinfra.api.facts import FactBase
from typing_extensions import override

#: One file for each reason to reboot, named by the reason's key. /run is emptied by the reboot itself.
REBOOT_REQUIRED_DIR = "/run/gpufleet/reboot-required"


class BootIdentity(FactBase[str]):
    """A string that is another after every boot: the kernel's boot id and the start time of process 1.

    The second half tells boots apart where hosts share a kernel, as containers do.
    """

    default = str

    @override
    def command(self) -> str:
        """Print both halves; the command name in /proc/1/stat may hold spaces, so it is cut off first."""
        return "echo \"$(cat /proc/sys/kernel/random/boot_id)/$(sed 's/.*) //' /proc/1/stat | cut -d' ' -f20)\""

    @override
    def process(self, output: list[str]) -> str:
        """Take the one line."""
        return output[0].strip()


class RebootRequired(FactBase[dict[str, str]]):
    """Reasons why the host should reboot: text by key, empty when there is none."""

    default = dict

    @override
    def command(self) -> str:
        """Print each line after its file name."""
        return f"grep -sH '' {REBOOT_REQUIRED_DIR}/* || true"

    @override
    def process(self, output: list[str]) -> dict[str, str]:
        """Put the lines of each file together again."""
        reasons: dict[str, str] = {}
        for path, _, line in (row.partition(":") for row in output):
            key = path.rpartition("/")[2]
            reasons[key] = f"{reasons[key]}\n{line}" if key in reasons else line
        return reasons
