"""Commands that run apt-get on a host: patient with locks, tidy after an interruption, ended by a deadline."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from pyinfra.api.command import StringCommand
from pyinfra.context import host

from gpufleet.errors import HostError
from gpufleet.facts.apt_holds import HOLD_PINS
from gpufleet.operations import deadline

#: Runs apt-get until it has every lock: its own DPkg::Lock::Timeout does not wait for the locks of its lists and
#: archives, and forgets to say who holds dpkg's. An earlier run that was cut off is finished first.
_PATIENT = (
    "errors=$(mktemp); trap 'rm -f \"$errors\"' EXIT; trap 'exit 143' TERM; end=$(($(date +%s) + {lock_timeout})); "
    'until {command} 2>"$errors"; do '
    "if grep -q 'dpkg --configure -a' \"$errors\"; then dpkg --configure -a || exit; "
    'elif ! grep -q "Could not get lock" "$errors"; then cat "$errors" >&2; exit 100; '
    'elif [ "$(date +%s)" -lt "$end" ]; then sleep 2; '
    "else sed -n 's/.*get lock \\([^ ]*\\)\\. It is \\(held by .*)\\).*/\\1 \\2/p' \"$errors\" | head -n1 | "
    '{{ read -r lock; printf {locked} "$lock" >&2; }}; exit 100; fi; done; '
    'cat "$errors" >&2'
)

_INSTALL_OPTIONS = (
    "--yes",
    "--allow-downgrades",
    "--allow-change-held-packages",
    "--option=Dpkg::Options::=--force-confdef",
    "--option=Dpkg::Options::=--force-confold",
)

#: Packages on hold, and those that shall be as soon as they are there.
_HELD = f"held=$(apt-mark showhold; sed -n 's/^Package: //p' {HOLD_PINS} 2>/dev/null);"
#: apt lets go of a hold when it changes the package's version.
_HOLD_AGAIN = (
    "rc=$?; [ -z \"$held\" ] || dpkg-query -W -f '${db:Status-Status} ${binary:Package}\\n' $held 2>/dev/null | "
    "sed -n 's/^installed //p' | xargs -r apt-mark hold >/dev/null; exit $rc"
)

#: The lists, and the touch by which a refresh that found nothing new is remembered.
_LISTS = "/var/lib/apt/lists"


def apt_get(arguments: Sequence[str], timeout: int, lock_timeout: int) -> StringCommand:
    """Run apt-get without questions; at the deadline stop it and fail with one sentence."""
    words = ["apt-get", "--quiet", "--option=Dpkg::Use-Pty=0", *arguments]
    locked = HostError(
        host.name,
        expected=f"a free lock within {lock_timeout} seconds",
        found="%s",
        cure="wait for that process to end or raise lock_timeout",
    )
    script = _PATIENT.format(lock_timeout=lock_timeout, command=shlex.join(words), locked=shlex.quote(f"{locked}\\n"))
    late = HostError(
        host.name,
        expected=f"apt-get {arguments[0]} to finish within {timeout} seconds",
        found="it still running, and stopped it",
        cure="look at its output above, then raise the timeout or free the host",
    )
    return StringCommand(
        "DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8", deadline.within(timeout, f"sh -c {shlex.quote(script)}", late)
    )


def install(packages: Sequence[str], timeout: int, lock_timeout: int, recommended: bool = False) -> StringCommand:
    """Install packages, `name=version` each or a name alone; what is to be held is held, however it ends."""
    options = [*_INSTALL_OPTIONS, "--install-recommends" if recommended else "--no-install-recommends"]
    command = apt_get(["install", *options, "--", *packages], timeout, lock_timeout)
    return StringCommand(_HELD, "(", command, ");", _HOLD_AGAIN)


def fetch(packages: Sequence[str], instead_of: Sequence[str], timeout: int, lock_timeout: int) -> StringCommand:
    """Fetch packages and what they need into apt's cache, as if others went with their installation; none goes."""
    words = ["install", "--download-only", *_INSTALL_OPTIONS, "--no-install-recommends", "--", *packages]
    return apt_get([*words, *(f"{name}-" for name in instead_of)], timeout, lock_timeout)


def remove(packages: Sequence[str], purge: bool, timeout: int, lock_timeout: int) -> StringCommand:
    """Remove or purge packages."""
    verb = "purge" if purge else "remove"
    return apt_get([verb, "--yes", "--allow-change-held-packages", "--", *packages], timeout, lock_timeout)


def update(timeout: int, lock_timeout: int, cache_time: int = 0) -> StringCommand:
    """Read the package lists again where they are older than `cache_time` seconds, or than the sources themselves."""
    refresh = apt_get(["update", "--option=APT::Update::Error-Mode=any"], timeout, lock_timeout)
    refreshed = StringCommand("{", refresh, ";", "}", "&&", f"touch {_LISTS}")
    if not cache_time:
        return refreshed
    fresh = (
        f'[ -n "$(find {_LISTS} -maxdepth 1 -name "*Release" -print -quit)" ] && '
        f'[ "$(($(date +%s) - $(stat -c %Y {_LISTS})))" -lt {cache_time} ] && '
        f'[ -z "$(find /etc/apt/sources.list /etc/apt/sources.list.d -newer {_LISTS} 2>/dev/null)" ]'
    )
    return StringCommand(fresh, "||", "{", refreshed, ";", "}")
