"""Repositories a host uses and the keys it trusts for them."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from pyinfra.api.facts import FactBase
from typing_extensions import override

#: Where apt keeps keys that it trusts for every archive, and where keys for single archives are.
KEYRINGS = (
    "/etc/apt/trusted.gpg",
    "/etc/apt/trusted.gpg.d/*.gpg",
    "/etc/apt/trusted.gpg.d/*.asc",
    "/etc/apt/keyrings/*",
)


@dataclass(frozen=True)
class KeyFile:
    """The OpenPGP keys in a file, by the fingerprints of their primary keys, and whether gpg is there to read them."""

    fingerprints: tuple[str, ...] = ()
    can_read: bool = True


#: A shell function that prints the fingerprint of each primary key in a file; gpg needs a home, and leaves files in it.
PRIMARY = (
    'primary() { h=$(mktemp -d); gpg --homedir "$h" --batch --show-keys --with-colons "$1" 2>/dev/null | '
    'awk -F: \'$1 == "pub" {p = 1} $1 == "fpr" && p {print $10; p = 0}\'; rm -rf "$h"; }'
)


class RepositoryKey(FactBase[KeyFile]):
    """Keys in one file; none where the file is missing or is no key."""

    default = KeyFile

    @override
    def command(self, path: str) -> str:
        """Ask gpg where it is there."""
        return f"{PRIMARY}; if command -v gpg >/dev/null; then primary {shlex.quote(path)}; else echo no gpg; fi"

    @override
    def process(self, output: list[str]) -> KeyFile:
        """One fingerprint a line."""
        found = tuple(line.strip() for line in output if line != "no gpg")
        return KeyFile(found, can_read="no gpg" not in output)


class KeyringsWith(FactBase[dict[str, int]]):
    """Keyrings of apt that hold one key, with the number of keys in each."""

    default = dict

    @override
    def command(self, key: str) -> str:
        """List every keyring with gpg and look for the end of a fingerprint."""
        return (
            f'{PRIMARY}; for f in {" ".join(KEYRINGS)}; do [ -f "$f" ] || continue; keys=$(primary "$f"); '
            f'if echo "$keys" | grep -qi {shlex.quote(f"{key}$")}; '
            'then echo "$(echo "$keys" | wc -l) $f"; fi; done; true'
        )

    @override
    def process(self, output: list[str]) -> dict[str, int]:
        """Parse `1 /etc/apt/trusted.gpg.d/cuda.gpg`."""
        rows = (line.split(maxsplit=1) for line in output)
        return {path: int(count) for count, path in rows}


class YumRepositories(FactBase[dict[str, bool]]):
    """Repositories that dnf knows, and whether each is switched on."""

    default = dict

    @override
    def command(self) -> str:
        """Print section headers and switches of all files."""
        return r"grep -hsE '^(\[|enabled *=)' /etc/yum.repos.d/*.repo || true"

    @override
    def process(self, output: list[str]) -> dict[str, bool]:
        """Parse `[crb]` and `enabled=0`; without the latter a repository is on."""
        found: dict[str, bool] = {}
        name = ""
        for line in output:
            if header := re.match(r"\[(.+)\]", line):
                name = header[1]
                found[name] = True
            elif name:
                found[name] = line.partition("=")[2].strip().lower() in {"1", "true", "yes", "on"}
        return found
