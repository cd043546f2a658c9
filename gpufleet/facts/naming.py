"""What a host calls itself, and the names it knows without asking a name server."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pyinfra.api.facts import FactBase
from typing_extensions import override


@dataclass(frozen=True)
class Names:
    """The kernel's host name, the one in /etc/hostname, and the lines of /etc/hosts."""

    live: str = ""
    at_boot: str = ""
    hosts: tuple[str, ...] = ()


class Naming(FactBase[Names]):
    """All three places that name a host, read at once."""

    default = Names

    @override
    def command(self) -> str:
        """Print each line after a word that says where it is from."""
        return (
            "echo \"live $(uname -n)\"; sed 's/^/at_boot /' /etc/hostname 2>/dev/null; "
            "sed 's/^/hosts /' /etc/hosts 2>/dev/null; true"
        )

    @override
    def process(self, output: Iterable[str]) -> Names:
        """Put the lines back where they came from; blanks at the end of a line do not matter."""
        rows = [line.rstrip().partition(" ")[::2] for line in output]
        single = dict(reversed(rows))
        return Names(
            live=single.get("live", ""),
            at_boot=single.get("at_boot", ""),
            hosts=tuple(text for where, text in rows if where == "hosts"),
        )
