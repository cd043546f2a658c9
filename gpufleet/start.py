"""Where the command begins: an interrupt while its modules are still being read ends it as a later one does."""

from __future__ import annotations

import sys

#: Exit status of a command that Ctrl-C ended, as shells have it: 128 and the signal's number.
INTERRUPTED = 130
#: What it says then.
SAID = "gpufleet: interrupted; the same command may be given again"


def main() -> None:
    """Read the command line's modules, and run it."""
    try:
        from gpufleet.cli import main as run  # noqa: PLC0415 - a fifth of a second, in which somebody may interrupt
    except KeyboardInterrupt:
        sys.stderr.write(f"{SAID}\n")
        raise SystemExit(INTERRUPTED) from None
    run()
