"""What the lab needs on the controller, and how it gets there: programs through apt, and a Docker daemon."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from gpufleet.errors import ToolMissingError
from gpufleet.lab import docker, shared_limits
from gpufleet.project import state_dir

#: Program -> Debian package that ships it.
PROGRAMS: Mapping[str, str] = {
    "docker": "docker.io",
    "dockerd": "docker.io",
    "mmdebstrap": "mmdebstrap",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
}
#: Seconds a freshly started Docker daemon gets until it answers.
DAEMON_SECONDS = 60

Say = Callable[[str], None]


def ensure(say: Say) -> None:
    """Install what is missing, raise a kernel limit that hosts share, start a Docker daemon where none answers; say so.

    Raises ToolMissingError where a program or the daemon is not to be had. The daemon is left running: it belongs to
    the machine.
    """
    # A daemon that answers may well be remote or rootless, without a dockerd here.
    needed = [name for name in PROGRAMS if name != "dockerd" or not daemon_answers()]
    if missing := [name for name in needed if shutil.which(name, path=search_path()) is None]:
        install(missing, say)
    shared_limits.raise_instances(say, as_root)
    if not daemon_answers():
        start_daemon(say)


def search_path() -> str:
    """PATH with the directories of administration programs, which a normal user's often lacks."""
    return os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])


def as_root(command: list[str]) -> list[str]:
    """The command as root: itself, or under sudo."""
    return command if os.geteuid() == 0 else ["sudo", *command]


def install(programs: list[str], say: Say) -> None:
    """Install the Debian packages of the given programs."""
    packages = sorted({PROGRAMS[name] for name in programs})
    if shutil.which("apt-get", path=search_path()) is None:
        raise cannot_install(programs, "no apt-get on this machine")
    say(f"installing {', '.join(packages)} with apt-get (missing: {', '.join(programs)})")
    apt = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-o", "DPkg::Lock::Timeout=120"]
    for step in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
        result = subprocess.run(as_root([*apt, *step]), capture_output=True, text=True, check=False)
        if result.returncode != 0:
            reason = (result.stderr.strip() or result.stdout.strip() or "no output").splitlines()[-1]
            raise cannot_install(programs, f"apt-get {step[0]} failed: {reason}")


def cannot_install(programs: list[str], reason: str) -> ToolMissingError:
    """The refusal for programs that are absent and stay so."""
    packages = ", ".join(sorted({PROGRAMS[name] for name in programs}))
    return ToolMissingError(
        "lab",
        expected=f"the programs {', '.join(programs)}",
        found=reason,
        cure=f"install {packages} by hand, then run the command again",
    )


def daemon_answers() -> bool:
    """Whether a Docker daemon answers the docker command."""
    return daemon_refusal() is None


def daemon_refusal() -> str | None:
    """Why the docker command gets no answer from a daemon: its last line of complaint; None when it does."""
    if shutil.which("docker") is None:
        return "no docker program"
    result = subprocess.run([*docker.command(), "version"], capture_output=True, text=True, check=False)
    return None if result.returncode == 0 else (result.stderr.strip() or "no output").splitlines()[-1]


def start_daemon(say: Say) -> None:
    """Start the Docker daemon, through systemd where it runs, and wait until it answers."""
    if systemd_runs():
        say("starting the Docker daemon: systemctl start docker")
        subprocess.run(as_root(["systemctl", "start", "docker"]), capture_output=True, check=False)
        process = None
        log = "journalctl -u docker"
    else:
        path = state_dir() / "dockerd.log"
        say(f"starting the Docker daemon: dockerd (log: {path})")
        process = spawn_daemon(path)
        log = str(path)
    deadline = time.monotonic() + DAEMON_SECONDS
    while True:
        # Seen before it is asked: one that ended after that may have answered.
        is_ended = process is not None and process.poll() is not None
        if daemon_answers():
            return
        if is_ended or time.monotonic() > deadline:
            raise no_daemon(log, daemon_refusal() or "an answer too late")
        time.sleep(0.2)  # polling a condition, bounded by the deadline above


def systemd_runs() -> bool:
    """Whether systemd is PID 1 here, and so the one who starts daemons."""
    return Path("/run/systemd/system").is_dir()


def spawn_daemon(log: Path) -> subprocess.Popen[bytes]:
    """Start dockerd in a session of its own, so that Ctrl-C in this terminal does not end it."""
    log.parent.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "PATH": search_path()}
    with log.open("ab") as output:
        return subprocess.Popen(
            as_root(["dockerd"]),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment,
            start_new_session=True,
        )


def no_daemon(log: str, refusal: str) -> ToolMissingError:
    """The refusal when no daemon answers in time."""
    return ToolMissingError(
        "lab",
        expected=f"a Docker daemon that answers within {DAEMON_SECONDS} seconds",
        found=refusal,
        cure=f"see {log}, start the daemon, then run the command again",
    )
