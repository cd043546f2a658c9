"""The program behind init_module, delete_module and /proc/modules; libuname starts it in the caller's place."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

from . import modules, paths


def main(arguments: list[str]) -> int:
    """Do one request alone on the host; the exit status is an errno."""
    verb = arguments[0] if arguments else ""
    if os.geteuid() != 0 and str(paths.ROOT) == "/":
        return 0 if verb == "refresh" else errno.EPERM
    with (paths.STATE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _act(verb, arguments[1:])


def _act(verb: str, rest: list[str]) -> int:
    if verb == "load":
        return modules.load(Path(rest[0]), rest[1], int(rest[2]))
    if verb == "unload":
        return modules.unload(rest[0])
    if verb == "refresh":
        modules.refresh()
        return 0
    return errno.EINVAL
