"""Starting and stopping the package archive of a lab."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

from gpufleet.errors import LabError
from gpufleet.lab import archive, waiting
from gpufleet.lab.network import Network
from gpufleet.lab.sources import Upstream
from gpufleet.lab.state import State, write
from gpufleet.lab.vendors import tree
from gpufleet.project import cache_dir

#: Seconds that the archive gets to answer, and to end.
SECONDS = 20


def ensure(state: State, net: Network, upstream: Upstream) -> None:
    """Start the lab's archive unless it runs already, and wait until it answers."""
    process = None
    if not serves(state):
        stop(state)
        process = spawn(arguments(state, net, upstream), state.path / "archive.log")
        write(state.path / "archive.pid", f"{process.pid}\n")
    waiting.until(name(state), "an answer of the package archive", lambda: answers(state, net, process), SECONDS)


def spawn(command: list[str], log: Path) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own, so that Ctrl-C in this terminal does not end it."""
    with log.open("wb") as output:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True)


def arguments(state: State, net: Network, upstream: Upstream) -> list[str]:
    """Command line of the archive."""
    security = [f"--security={upstream.security}"] if upstream.security else []
    return [
        *(sys.executable, "-m", archive.__name__, f"--name={name(state)}", f"--listen={net.gateway}"),
        *(f"--debian={upstream.debian}", *security),
        *(f"--cache={cache_dir().absolute() / 'archive'}", f"--denied={state.denied}", f"--own={tree.root()}"),
    ]


def name(state: State) -> str:
    """Name of the archive in the process list."""
    return f"gpufleet-archive-{state.lab}"


def find(state: State) -> int | None:
    """Process number of the lab's archive; None where it does not run."""
    try:
        pid = int((state.path / "archive.pid").read_text())
    except (OSError, ValueError):
        return None
    return pid if f"--denied={state.denied}" in words(pid) else None


def words(pid: int | None) -> list[str]:
    """Command line of a process; empty where there is none."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except OSError:
        return []


def serves(state: State) -> bool:
    """Whether the lab's archive runs and serves the lab's own repositories: one that was started long ago may not."""
    return f"--own={tree.root()}" in words(find(state))


def answers(state: State, net: Network, process: subprocess.Popen[bytes] | None) -> tuple[bool, str]:
    """Whether the archive answers, and if not why; raises LabError when the process just started has ended."""
    if process is not None and process.poll() is not None:
        raise ended(state)
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(f"http://{net.gateway}:{archive.PORT}{archive.WHOSE}", timeout=5) as reply:
            whose = reply.read().decode(errors="replace")
    except OSError as error:
        return False, str(error)
    return whose == str(state.denied), f"an answer of another: {whose}"


def ended(state: State) -> LabError:
    """The refusal when the archive did not stay up."""
    log = state.path / "archive.log"
    last = (log.read_text().strip().splitlines() or ["an empty log"])[-1]
    return LabError(name(state), expected="a process that serves packages", found=f"its end: {last}", cure=f"see {log}")


def stop(state: State) -> None:
    """End the lab's archive and wait until it has gone; one that does not run is fine."""
    if pid := find(state):
        os.kill(pid, signal.SIGTERM)
        waiting.until(name(state), "the end of the package archive", lambda: (find(state) is None, str(pid)), SECONDS)
