"""Who manages the network of a host, which of its interfaces must not be cut, and what was written from here."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from itertools import pairwise

from pyinfra.api.facts import FactBase
from typing_extensions import override

from gpufleet.facts.unit_files import MARK
from gpufleet.network.managers import NAMES

_NETPLAN = '[ -n "$(ls /etc/netplan/*.yaml /run/netplan/*.yaml /usr/lib/netplan/*.yaml 2>/dev/null)" ]'


class NetworkManagerInUse(FactBase[str]):
    """`netplan`, `networkmanager`, `networkd` or `ifupdown`; nothing where none of them is in use.

    netplan whose renderer is NetworkManager is `networkmanager`: netplan knows no partition keys, keyfiles do.
    """

    default = str

    @override
    def command(self) -> str:
        """Ask netplan first: where it has files, the other two work for it."""
        return (
            f"if command -v netplan >/dev/null 2>&1 && {_NETPLAN}; then "
            'if [ "$(netplan get network.renderer 2>/dev/null)" = NetworkManager ]; '
            "then echo networkmanager; else echo netplan; fi; "
            "elif systemctl -q is-active NetworkManager.service 2>/dev/null; then echo networkmanager; "
            "elif systemctl -q is-active systemd-networkd.service 2>/dev/null; then echo networkd; "
            "elif [ -e /etc/network/interfaces ] && command -v ifup >/dev/null 2>&1; then echo ifupdown; fi; true"
        )

    @override
    def process(self, output: list[str]) -> str:
        """Take the one word."""
        words = [line.strip() for line in output if line.strip() in NAMES]
        return words[0] if words else ""


#: Says the server's address of this SSH session: sudo drops the variable, the processes above it still have it.
_SSH_ADDRESS = (
    's=$SSH_CONNECTION; p=$$; while [ -z "$s" ] && [ "${p:-0}" -gt 1 ]; do '
    "s=$(tr '\\0' '\\n' 2>/dev/null </proc/$p/environ | sed -n 's/^SSH_CONNECTION=//p'); "
    "p=$(sed -n 's/^PPid:[[:blank:]]*//p' /proc/$p/status 2>/dev/null); done; set -- $s"
)


class NeededInterfaces(FactBase[dict[str, str]]):
    """Interfaces that must stay as they are, each with what it carries: the default route, this SSH session."""

    default = dict

    @override
    def command(self) -> str:
        """Print default routes of both families, and the addresses of the interface of this session."""
        return (
            "{ ip -o route show default; ip -6 -o route show default; } 2>/dev/null | sed 's/^/route /'; "
            f'{_SSH_ADDRESS}; [ -z "$3" ] || ip -o addr show to "$3" 2>/dev/null | sed "s/^/ssh /"; true'
        )

    @override
    def process(self, output: list[str]) -> dict[str, str]:
        """Parse `route default via 10.0.0.1 dev eth0 ...` and `ssh 2: eth0    inet 10.0.0.7/24 ...`."""
        needed: dict[str, str] = {}
        for kind, *words in (line.split() for line in output if line.split()):
            if kind == "route":
                names = [name for word, name in pairwise(words) if word == "dev"]
                needed |= dict.fromkeys(names, "the default route")
            elif kind == "ssh" and len(words) > 1:
                needed[words[1]] = "this SSH session"
        return needed


class OwnNetworkFiles(FactBase[list[str]]):
    """Files about IPoIB links that were written from here, whichever network manager was told."""

    default = list

    @override
    def command(self, places: Sequence[str]) -> str:
        """Tell our files by their first line; the places are patterns for the shell."""
        return f"grep -ls -m 1 {shlex.quote(f'^{MARK}')} {' '.join(places)}; true"

    @override
    def process(self, output: list[str]) -> list[str]:
        """One path a line."""
        return sorted(line.strip() for line in output if line.strip())
