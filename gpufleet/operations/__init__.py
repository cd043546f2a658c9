"""What changes a host: pyinfra operations, generators of commands, each a no-op where the host is as wanted."""

from __future__ import annotations

from pyinfra.api.command import QuoteString, StringCommand

from gpufleet.errors import HostError


def failure(where: str, *, expected: str, found: str, cure: str) -> StringCommand:
    """Return a command that fails on the host with one sentence of errors.py on standard error.

    An exception raised while operations execute stops every host of the run; a failed command fails this host
    alone, and its text reaches the run's report.
    """
    text = str(HostError(where, expected=expected, found=found, cure=cure))
    return StringCommand("printf", "'%s\\n'", QuoteString(text), ">&2;", "false")
