"""Keys of package repositories: put in place only when their fingerprint is the pinned one."""

from __future__ import annotations

import re
import shlex
from collections.abc import Generator
from typing import Any

from pyinfra.api.command import QuoteString, StringCommand
from pyinfra.api.operation import operation
from pyinfra.context import host

from gpufleet.errors import HostError
from gpufleet.facts.family import EL, OsFamily
from gpufleet.facts.repositories import PRIMARY, KeyringsWith, RepositoryKey
from gpufleet.facts.rpm import TrustedKeys
from gpufleet.operations import apt, dnf

Commands = Generator[Any, None, None]

#: Seconds for fetching a key.
TIMEOUT = 60
#: How a key given as text begins.
ARMOR = "-----BEGIN PGP PUBLIC KEY BLOCK-----"

#: Reads the key, compares, and only then moves it to its place, in the form that the place's name asks for.
_PLACE = (
    "d=$(mktemp -d); trap 'rm -rf \"$d\" {path}.new' EXIT; {primary}; {{ {fetch}; }} || exit; "
    'found=$(primary "$d/key" | paste -sd " "); '
    '[ "$found" = {fingerprint} ] || {{ printf {wrong} "${{found:-no key}}" >&2; exit 1; }}; '
    "install -d -m 755 {directory} && {convert} && chmod 644 {path}.new && mv {path}.new {path}"
)
#: apt takes `.gpg` for binary, and a binary key under this name is left as it is.
_BINARY = (
    'if grep -q "BEGIN PGP" "$d/key"; then gpg --homedir "$d" --dearmor <"$d/key"; else cat "$d/key"; fi >{path}.new'
)
_AS_IT_IS = 'cat "$d/key" >{path}.new'


@operation()
def trusted(path: str, key: str, fingerprint: str) -> Commands:
    """
    Put a repository's key in place after comparing its fingerprint with the pinned one.

    + path: where the key shall be; binary where it ends in `.gpg`, as it came elsewhere
    + key: URL, or the armored key itself for hosts that reach no such URL
    + fingerprint: fingerprint of the primary key, forty hexadecimal digits

    The host fetches the key itself: with apt's own means, and so through apt's proxy, or with curl.

    **Example:**

    .. code:: python

        repository_keys.trusted(
            name="Trust the vendor's key",
            path="/etc/apt/keyrings/vendor.gpg",
            key="https://repository.example.org/vendor.pub",
            fingerprint="0123456789ABCDEF0123456789ABCDEF01234567",
        )
    """
    pinned = normalized(fingerprint)
    found = host.get_fact(RepositoryKey, path=path)
    # Want this key alone and have it?
    if found.fingerprints == (pinned,):
        host.noop(f"key {pinned} is in {path}")
        return
    is_el = host.get_fact(OsFamily) == EL
    if not found.can_read:
        yield from (dnf.exact if is_el else apt.exact)._inner(packages=["gnupg2" if is_el else "gpg"])
    wrong = HostError(
        # The shell's printf fills in what was found; a URL may have percent signs of its own.
        f"{host.name}: {key.replace('%', '%%') if ARMOR not in key else 'key given as text'}",
        expected=f"the key with fingerprint {pinned}",
        found="%s",
        cure="find out who changed the key before you pin another",
    )
    yield StringCommand(_script(path, fetch(key, is_el), pinned, f"{wrong}\n"))


@operation()
def forgotten(key: str, path: str | None = None) -> Commands:
    """
    Trust a key no more: remove it from apt's keyrings and rpm's, and the file that held it.

    + key: fingerprint, or its last eight digits or more
    + path: file that holds the key beside apt's keyrings

    **Example:**

    .. code:: python

        repository_keys.forgotten(name="Forget NVIDIA's key of before 2022", key="7fa2af80")
    """
    keyrings = host.get_fact(KeyringsWith, key=key)
    short = key[-8:].lower()
    in_rpm = host.get_fact(OsFamily) == EL and short in host.get_fact(TrustedKeys)
    file = path if path and path not in keyrings and host.get_fact(RepositoryKey, path=path).fingerprints else None
    # Want it trusted nowhere and have it so?
    if not (keyrings or in_rpm or file):
        host.noop(f"key {key} is trusted nowhere")
    for keyring in [*[ring for ring, count in keyrings.items() if count == 1], *([file] if file else [])]:
        yield StringCommand("rm", "-f", QuoteString(keyring))
    for keyring in (ring for ring, count in keyrings.items() if count > 1):
        yield _delete(keyring, key)
    if in_rpm:
        yield StringCommand("rpm", "-e", "--allmatches", QuoteString(f"gpg-pubkey-{short}"))


def normalized(fingerprint: str) -> str:
    """Return a fingerprint as gpg prints it, without blanks."""
    return re.sub(r"\s", "", fingerprint).upper()


def fetch(key: str, with_curl: bool) -> str:
    """Return the shell words that put the key into `$d/key`."""
    if ARMOR in key:
        return f'printf %s {shlex.quote(key)} >"$d/key"'
    if with_curl:
        options = f"--fail --silent --show-error --location --retry 3 --max-time {TIMEOUT}"
        return f'curl {options} --output "$d/key" {shlex.quote(key)}'
    return f'timeout {TIMEOUT} /usr/lib/apt/apt-helper download-file {shlex.quote(key)} "$d/key" >/dev/null'


def _script(path: str, fetch: str, pinned: str, wrong: str) -> str:
    file = shlex.quote(path)
    convert = (_BINARY if path.endswith(".gpg") else _AS_IT_IS).format(path=file)
    text = _PLACE.format(
        path=file,
        primary=PRIMARY,
        directory=shlex.quote(path.rpartition("/")[0]),
        fetch=fetch,
        fingerprint=shlex.quote(pinned),
        wrong=shlex.quote(wrong),
        convert=convert,
    )
    return f"sh -c {shlex.quote(text)}"


def _delete(keyring: str, key: str) -> StringCommand:
    """A keyring of several keys loses this one."""
    home = "d=$(mktemp -d); trap 'rm -rf \"$d\"' EXIT"
    gpg = f'gpg --homedir "$d" --batch --yes --no-default-keyring --keyring {shlex.quote(keyring)}'
    return StringCommand(f"sh -c {shlex.quote(f'{home}; {gpg} --delete-keys {shlex.quote(key)}')}")
