"""What it means for the operator when the probe of a host got no answer: expected, found, cure."""

from __future__ import annotations

from gpufleet.health.outcomes import one_line
from gpufleet.inventory.hosts import InventoryHost

_KEY = "expected the host key recorded in {file}, found another or none; compare the keys before you correct that file"
_LOGIN = 'expected to log in as {user}, found "{found}"; authorize the key on the host'
_REACH = 'expected an SSH server at {address}, found "{found}"; check the host and its network'
_SUDO = 'expected {user} to become root by sudo without a password, found "{found}"; allow it in /etc/sudoers.d'
_END = 'expected the probe to end with 0, found {rc}: "{found}"; run it by hand on the host'

_WORD = (
    "expected the {word} word of the probe within {seconds:g} s, found none; "
    "log in and look for what hangs, such as a process in state D"
)


def no_connection(host: InventoryHost, errors: str) -> str:
    """Explain why ssh itself failed, from what it printed."""
    data, found = host.data, last_line(errors)
    if "Host key verification failed" in errors:
        return _KEY.format(file=data.get("ssh_known_hosts_file") or "~/.ssh/known_hosts")
    if "Permission denied" in errors:
        return _LOGIN.format(user=user_of(host), found=found)
    address = f"{data.get('ssh_hostname') or host.name} port {data.get('ssh_port') or 22}"
    return _REACH.format(address=address, found=found)


def no_probe(host: InventoryHost, rc: int, errors: str) -> str:
    """Explain why the probe's script failed on a host that ssh reached."""
    found = last_line(errors)
    if found.startswith("sudo:") or "sudoers" in found:
        return _SUDO.format(user=user_of(host), found=found)
    return _END.format(rc=rc, found=found)


def no_word(word: str, seconds: float) -> str:
    """Explain that a host was given up, because it fell silent before the first, the next, or the last word."""
    return _WORD.format(word=word, seconds=seconds)


def user_of(host: InventoryHost) -> str:
    """Return the name to log in with, or words for it where the inventory leaves it to ssh."""
    return host.data.get("ssh_user") or "ssh's own choice of user"


def last_line(errors: str) -> str:
    """Return the last line a program printed, where it says what stopped it."""
    return one_line(errors.strip().rpartition("\n")[2])
