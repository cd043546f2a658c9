"""Where a host swaps, and what would make it swap again at the next boot."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pyinfra.api.facts import FactBase
from typing_extensions import override

#: An entry of /etc/fstab whose type is swap, as an extended regular expression.
FSTAB_ENTRY = r"^[[:space:]]*[^#[:space:]]+[[:space:]]+[^[:space:]]+[[:space:]]+swap([[:space:]].*)?$"

#: Units by which Debian's packages swap: the target, devices and files, zram-tools, systemd-zram-generator.
UNITS = ("*.swap", "swap.target", "zramswap.service", "systemd-zram-setup@*.service")


@dataclass(frozen=True)
class Swap:
    """Areas in use, entries of /etc/fstab, and units that are not masked."""

    active: tuple[str, ...] = ()
    fstab: tuple[str, ...] = ()
    units: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.active or self.fstab or self.units)


class SwapState(FactBase[Swap]):
    """Everything that swaps or is about to: `Swap(active=("/dev/sda2",), units=("swap.target",))`."""

    default = Swap

    @override
    def command(self) -> str:
        """Print each finding after a word that says what it is."""
        names = " ".join(f"'{unit}'" for unit in UNITS)
        return (
            "sed -n '2,$s/^/active /p' /proc/swaps; "
            f"grep -E '{FSTAB_ENTRY}' /etc/fstab 2>/dev/null | sed 's/^/fstab /'; "
            f"systemctl list-units --all --plain --no-legend --no-pager --full {names} | sed 's/^/unit /'"
        )

    @override
    def process(self, output: Iterable[str]) -> Swap:
        """Parse `active /dev/sda2 partition ...`, `fstab ...` and `unit swap.target loaded active ...`."""
        rows = [line.split() for line in output]
        return Swap(
            active=tuple(row[1] for row in rows if row[0] == "active"),
            fstab=tuple(" ".join(row[1:]) for row in rows if row[0] == "fstab"),
            units=tuple(row[1] for row in rows if row[0] == "unit" and row[2] not in ("masked", "not-found")),
        )
