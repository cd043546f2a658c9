"""Secure Boot: whether the firmware demands signatures, and the owner's keys that it accepts beside the vendors'."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from pyinfra.api.facts import FactBase
from typing_extensions import override

_EFIVARS = "/sys/firmware/efi/efivars"
#: The UEFI specification's variable, and shim's word that the owner switched its validation off (`mokutil`).
SECURE_BOOT = f"{_EFIVARS}/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
SHIM_STATE = f"{_EFIVARS}/MokSBStateRT-605dab50-e046-4300-abb6-3dd810dd8b23"

State = Literal["enabled", "disabled", "absent"]


@dataclass(frozen=True)
class EnrolledKey:
    """A machine owner key: whom it names, and the SHA-1 fingerprint of its certificate, lowercase without colons."""

    subject: str
    fingerprint: str


class SecureBoot(FactBase[State]):
    """`enabled`, `disabled` (also where shim was told not to validate), or `absent` where the host has no UEFI."""

    @staticmethod
    @override
    def default() -> State:
        """Say that there is none."""
        return "absent"

    @override
    def command(self) -> str:
        """Print the fifth byte of each variable; the first four are its attributes."""
        byte = "od -An -t u1 -j 4 -N 1"
        return (
            f"if [ -r {SECURE_BOOT} ]; then echo secure $({byte} {SECURE_BOOT}); fi; "
            f"if [ -r {SHIM_STATE} ]; then echo shim $({byte} {SHIM_STATE}); fi"
        )

    @override
    def process(self, output: list[str]) -> State:
        """Parse `secure 1` and `shim 1`; the latter means that validation is off."""
        found = dict(line.split() for line in output if len(line.split()) == 2)
        if "secure" not in found:
            return "absent"
        return "enabled" if found["secure"] == "1" and found.get("shim") != "1" else "disabled"


class EnrolledKeys(FactBase[list[EnrolledKey]]):
    """Machine owner keys that are enrolled; none where mokutil is not installed."""

    default = list

    @override
    def command(self) -> str:
        """Ask mokutil."""
        return "if command -v mokutil >/dev/null; then LC_ALL=C mokutil --list-enrolled 2>/dev/null; fi; true"

    @override
    def process(self, output: list[str]) -> list[EnrolledKey]:
        """Parse `SHA1 Fingerprint: aa:bb...` and, below it, `Subject: CN=...`."""
        keys, fingerprint = [], ""
        for line in output:
            if match := re.search(r"SHA1 Fingerprint: ([0-9A-Fa-f:]+)", line):
                fingerprint = match[1].replace(":", "").lower()
            elif fingerprint and (match := re.match(r"\s*Subject: (.+)", line)):
                keys.append(EnrolledKey(match[1].strip(), fingerprint))
                fingerprint = ""
        return keys
