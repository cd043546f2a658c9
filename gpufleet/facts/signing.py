"""Who signed a kernel module, and whether the firmware knows a machine owner key."""

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


class KeyEnrolled(FactBase[bool]):
    """Whether the firmware's list of machine owner keys has this certificate; a request that waits does not count."""

    default = bool

    @override
    def command(self, certificate: str) -> str:
        """Ask mokutil: its exit status is 1 for an enrolled key, so its words decide."""
        return f"LC_ALL=C mokutil --test-key {shlex.quote(certificate)} 2>/dev/null || true"

    @override
    def process(self, output: list[str]) -> bool:
        """Parse `/var/lib/dkms/gpufleet-mok.der is already enrolled`."""
        return any(line.rstrip().endswith("is already enrolled") for line in output)
