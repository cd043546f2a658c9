"""Commands that run dnf on a host: patient with locks, without questions, ended by a deadline."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from pyinfra.api.command import StringCommand
from pyinfra.context import host

from gpufleet.errors import HostError
from gpufleet.operations import deadline

#: dnf's exit code where somebody else has one of its locks.
LOCKED = 200

#: dnf waits for its locks for ever and says nothing in the end; with `exit_on_lock` it says who has them and gives up.
_PATIENT = (
    "errors=$(mktemp); trap 'rm -f \"$errors\"' EXIT; trap 'exit 143' TERM; end=$(($(date +%s) + {lock_timeout})); "
    'while :; do {command} 2>"$errors"; rc=$?; '
    f'if [ $rc -eq {LOCKED} ] && [ "$(date +%s)" -lt "$end" ]; then sleep 2; continue; fi; '
    f'cat "$errors" >&2; [ $rc -eq {LOCKED} ] || exit $rc; '
    "{{ sed -n 's/^\\(.*\\) already locked by \\([0-9]*\\).*/its \\1 locked by process \\2/p' \"$errors\"; "
    "echo 'it locked by somebody'; }} | head -n1 | {{ read -r found; printf {locked} \"$found\" >&2; }}; exit $rc; done"
)


def dnf(arguments: Sequence[str], timeout: int, lock_timeout: int) -> StringCommand:
    """Run dnf without questions; at the deadline stop it and fail with one sentence."""
    words = ["dnf", "--assumeyes", "--setopt=exit_on_lock=True", *arguments]
    locked = HostError(
        host.name,
        expected=f"a free lock of dnf within {lock_timeout} seconds",
        found="%s",
        cure="wait for that process to end or raise lock_timeout",
    )
    script = _PATIENT.format(lock_timeout=lock_timeout, command=shlex.join(words), locked=shlex.quote(f"{locked}\\n"))
    verb = next(word for word in arguments if not word.startswith("-"))
    late = HostError(
        host.name,
        expected=f"dnf {verb} to finish within {timeout} seconds",
        found="it still running, and stopped it",
        cure="look at its output above, then raise the timeout or free the host",
    )
    return StringCommand("LC_ALL=C.UTF-8", deadline.within(timeout, f"sh -c {shlex.quote(script)}", late))


def install(
    specs: Sequence[str], timeout: int, lock_timeout: int, weak: bool = False, erasing: bool = False
) -> StringCommand:
    """Install packages, `name-[epoch:]version-release` each or a name alone, upwards or downwards."""
    options = [f"--setopt=install_weak_deps={weak}", *["--allowerasing"] * erasing]
    return dnf(["install", *options, "--", *specs], timeout, lock_timeout)


def fetch(specs: Sequence[str], timeout: int, lock_timeout: int) -> StringCommand:
    """Fetch packages and what they need into dnf's cache, as if others went with their installation; none goes.

    A lock of a package that goes would hide what obsoletes it.
    """
    options = ["--downloadonly", "--disableplugin=versionlock", "--setopt=install_weak_deps=False", "--allowerasing"]
    return dnf(["install", *options, "--", *specs], timeout, lock_timeout)


def remove(packages: Sequence[str], timeout: int, lock_timeout: int) -> StringCommand:
    """Remove packages and leave what they depended on."""
    return dnf(["remove", "--noautoremove", "--", *packages], timeout, lock_timeout)


def makecache(timeout: int, lock_timeout: int, cache_time: int = 0) -> StringCommand:
    """Read the metadata of each repository again where they are older than `cache_time` seconds."""
    age = [f"--setopt=*.metadata_expire={cache_time}"] if cache_time else ["--refresh"]
    return dnf(["makecache", *age], timeout, lock_timeout)
