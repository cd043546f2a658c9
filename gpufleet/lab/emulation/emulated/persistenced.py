"""nvidia-persistenced: a daemon that holds the driver's devices open, and so keeps the modules loaded."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
import sys

from . import driver, kmsg, paths

_FOLDER = paths.ROOT / "run/nvidia-persistenced"
_PID_FILE = _FOLDER / "nvidia-persistenced.pid"
_FAILED = "nvidia-persistenced failed to initialize. Check syslog for more details.\n"


def _option(arguments: list[str], *names: str) -> str:
    for index, word in enumerate(arguments):
        name, equals, value = word.partition("=")
        if name in names:
            return value if equals else (arguments[index + 1] if index + 1 < len(arguments) else "")
    return ""


def _drop_to(user: str) -> None:
    account = pwd.getpwnam(user)
    os.chown(_FOLDER, account.pw_uid, account.pw_gid)
    os.chown(_PID_FILE, account.pw_uid, account.pw_gid)
    os.setgroups([])
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)


def _serve(user: str, mode: str, ready: int) -> None:
    os.setsid()
    if mode == "1":  # Held until the process ends.
        for path in sorted(paths.DEV.glob("nvidia[c0-9]*")):
            os.open(path, os.O_RDWR)
    _FOLDER.mkdir(parents=True, exist_ok=True)
    paths.put(_PID_FILE, str(os.getpid()), 0o644)
    paths.put(paths.STATE / "persistence-mode", mode, 0o644)
    if user:
        _drop_to(user)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    os.write(ready, b"1")
    os.close(ready)
    while True:
        signal.pause()


def main(arguments: list[str]) -> int:
    """Start the daemon and return once it serves, as Type=forking expects."""
    if "--version" in arguments or "-v" in arguments:
        print(f"nvidia-persistenced:  version {driver.library_version()}")  # noqa: T201 - a program
        return 0
    if driver.daemon_mode():
        sys.stderr.write(_FAILED)
        return 1
    if not driver.loaded_version():
        subprocess.run(["modprobe", "nvidia"], check=False, capture_output=True)
    if not driver.loaded_version():
        kmsg.log("nvidia-persistenced: no nvidia module is loaded")
        sys.stderr.write(_FAILED)
        return 1
    mode = "0" if "--no-persistence-mode" in arguments else "1"
    return _fork(_option(arguments, "--user", "-u"), mode)


def _fork(user: str, mode: str) -> int:
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.close(reader)
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(null, stream)
        os.chdir("/")
        _serve(user, mode, writer)
    os.close(writer)
    started = os.read(reader, 1)
    if not started:
        sys.stderr.write(_FAILED)
    return 0 if started else 1
