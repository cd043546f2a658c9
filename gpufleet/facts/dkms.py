"""Facts about kernel modules that DKMS builds on the host."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from pyinfra.api.facts import FactBase
from typing_extensions import override

LINE = re.compile(
    r"(?P<module>[^/\s]+)/(?P<version>[^,:\s]+)(?:, (?P<kernel>[^,]+), [^:]+)?: (?P<state>\w+)(?P<note>.*)"
)
#: State of a module whose installed files are not those that were built: replaced, or gone.
DIFFERS = "differs"


@dataclass(frozen=True)
class DkmsModule:
    """One line of `dkms status`; without a kernel the source is merely known to DKMS."""

    module: str
    version: str
    kernel: str
    state: str


class DkmsModules(FactBase[list[DkmsModule]]):
    """Every version and kernel of one module that DKMS knows of; none where dkms is not installed."""

    default = list

    @override
    def command(self, module: str) -> str:
        """Ask dkms."""
        return f"if command -v dkms >/dev/null; then dkms status -m {shlex.quote(module)}; fi"

    @override
    def process(self, output: list[str]) -> list[DkmsModule]:
        """Parse `nvidia-current/535.216.03, 6.1.0-50-amd64, x86_64: installed`; warnings of dkms are other lines."""
        found = (LINE.match(line.strip()) for line in output)
        return [
            DkmsModule(match["module"], match["version"], match["kernel"] or "", _state(match["state"], match["note"]))
            for match in found
            if match
        ]


def _state(state: str, note: str) -> str:
    """Debian 12 says `installed (WARNING! Diff between ...)`, Debian 13 `installed (Differences between ...)`."""
    return DIFFERS if "diff" in note.lower() else state
