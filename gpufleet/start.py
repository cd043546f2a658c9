"""Where the command begins, and ends: an interrupt at either moment does no more than one between them."""

from __future__ import annotations

import atexit
import signal
import sys

#: Exit status of a command that Ctrl-C ended, as shells have it: 128 and the signal's number.
INTERRUPTED = 130
#: What it says then.
SAID = "gpufleet: interrupted; the same command may be given again"


def main() -> None:
    """Read the command line's modules, and run it."""
    # Behind its last thread the command is over, whatever its exit status; Python would have Ctrl-C kill it yet.
    atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)
    try:
        from gpufleet.cli import main as run  # noqa: PLC0415 - a fifth of a second, in which somebody may interrupt
    except KeyboardInterrupt:
        sys.stderr.write(f"{SAID}\n")
        raise SystemExit(INTERRUPTED) from None
    run()
