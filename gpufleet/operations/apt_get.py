"""Commands that run apt-get on a host: patient with locks, tidy after an interruption, ended by a deadline."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from pyinfra.api.command import StringCommand
from pyinfra.context import host

from gpufleet.errors import HostError

#: apt waits for dpkg's lock itself, but not for those of its lists and its archive cache.
_PATIENT = (
    "errors=$(mktemp); trap 'rm -f \"$errors\"' EXIT; trap 'exit 143' TERM; "
    'end=$(($(date +%s) + {lock_timeout})); until {command} 2>"$errors"; do '
    "if grep -q 'dpkg --configure -a' \"$errors\"; then dpkg --configure -a || exit; "
    'elif grep -q "Could not get lock" "$errors" && [ "$(date +%s)" -lt "$end" ]; then sleep 2; '
    'else cat "$errors" >&2; exit 100; fi; done; cat "$errors" >&2'
)

_INSTALL_OPTIONS = (
    "--yes",
    "--no-install-recommends",
    "--allow-downgrades",
    "--allow-change-held-packages",
    "--option=Dpkg::Options::=--force-confdef",
    "--option=Dpkg::Options::=--force-confold",
)

#: The lists, and the touch by which a refresh that found nothing new is remembered.
_LISTS = "/var/lib/apt/lists"


def apt_get(arguments: Sequence[str], timeout: int, lock_timeout: int) -> StringCommand:
    """Run apt-get without questions; at the deadline stop it and fail with one sentence."""
    words = [
        "apt-get",
        "--quiet",
        f"--option=DPkg::Lock::Timeout={lock_timeout}",
        "--option=Dpkg::Use-Pty=0",
        *arguments,
    ]
    script = _PATIENT.format(lock_timeout=lock_timeout, command=shlex.join(words))
    late = HostError(
        host.name,
        expected=f"apt-get {arguments[0]} to finish within {timeout} seconds",
        found="it still running, and stopped it",
        cure="look at its output above, then raise the timeout or free the host",
    )
    return StringCommand(
        "DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8",
        f"timeout --kill-after=60 {timeout} sh -c {shlex.quote(script)} ||",
        f"{{ rc=$?; case $rc in 124|137) printf '%s\\n' {shlex.quote(str(late))} >&2;; esac; exit $rc; }}",
    )


def install(packages: Sequence[str], timeout: int, lock_timeout: int) -> StringCommand:
    """Install packages, `name=version` each or a name alone."""
    return apt_get(["install", *_INSTALL_OPTIONS, "--", *packages], timeout, lock_timeout)


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
