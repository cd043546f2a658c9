"""Who signed a kernel module."""

from __future__ import annotations

import shlex

from pyinfra.api.facts import FactBase
from typing_extensions import override


class ModuleSigner(FactBase[str]):
    """Common name of the key that signed the module file which the running kernel would load; none where unsigned."""

    default = str

    @override
    def command(self, module: str) -> str:
        """Ask modinfo."""
        return f"modinfo -F signer {shlex.quote(module)} 2>/dev/null || true"

    @override
    def process(self, output: list[str]) -> str:
        """Take the one line; an unsigned module has none."""
        return output[0].strip() if output else ""
