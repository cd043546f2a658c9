"""Which family of operating systems a host belongs to; its os-release decides, whatever tools are installed."""

from __future__ import annotations

from pyinfra.api.facts import FactBase
from typing_extensions import override

#: Debian, Ubuntu and what is made from them: dpkg and apt.
DEBIAN = "debian"
#: Red Hat Enterprise Linux and its rebuilds (Rocky Linux, AlmaLinux, CentOS Stream): rpm and dnf.
EL = "el"

#: Word of ID or ID_LIKE in os-release that makes a host one of the family.
WORDS = {"debian": DEBIAN, "rhel": EL}


def by_family(debian: str, el: str) -> str:
    """Return a shell command that runs one of two by the host's os-release, and neither on another family."""
    commands = {DEBIAN: debian, EL: el}
    cases = " ".join(f'*" {word} "*) {commands[family]};;' for word, family in WORDS.items())
    read = 'for f in /etc/os-release /usr/lib/os-release; do if [ -r "$f" ]; then . "$f"; break; fi; done'
    return f'ID= ID_LIKE=; {read}; case " $ID $ID_LIKE " in {cases} esac'


class OsFamily(FactBase[str]):
    """Family of the operating system: `debian`, `el`, or nothing where it is neither."""

    default = str

    @override
    def command(self) -> str:
        """Look for the family's word in ID and ID_LIKE."""
        return by_family(f"echo {DEBIAN}", f"echo {EL}")

    @override
    def process(self, output: list[str]) -> str:
        """Take the one word."""
        return output[0].strip() if output else ""
