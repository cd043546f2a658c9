"""Commands with a deadline: stopped on the host itself, where pyinfra's own timeout would leave them running."""

from __future__ import annotations

import shlex

from gpufleet.errors import HostError

#: Seconds that a command gets to tidy up before it is killed.
GRACE = 60


def within(timeout: int, command: str, late: HostError) -> str:
    """Return the shell command that stops another after so many seconds and then fails with this sentence."""
    return (
        f"timeout --kill-after={GRACE} {timeout} {command} || "
        f"{{ rc=$?; case $rc in 124|137) printf '%s\\n' {shlex.quote(str(late))} >&2;; esac; exit $rc; }}"
    )
