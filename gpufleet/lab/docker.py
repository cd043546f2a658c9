"""The docker command, and what its refusals mean to the operator."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from collections.abc import Sequence

from gpufleet.errors import LabError, ToolMissingError
from gpufleet.lab import waiting

#: What the docker command prints when it reaches a daemon that this user may not talk to.
PERMISSION = "permission denied"
#: What it prints when nobody answers.
NO_DAEMON = ("Cannot connect to the Docker daemon", "error during connect", "failed to connect to the docker API")

#: What it prints of a container that is not there, and of one that another command removes at this moment.
ABSENT, REMOVING = "No such container", "is already in progress"
#: Seconds that Docker gets to finish such a removal.
REMOVAL_SECONDS = 60

Result = subprocess.CompletedProcess[str]


@functools.cache
def command() -> tuple[str, ...]:
    """How this user starts docker: directly, or under sudo where only that may talk to the daemon."""
    if shutil.which("docker") is None:
        raise ToolMissingError(
            "lab", expected="the program docker", found="none on PATH", cure="install the package docker.io"
        )
    probe = subprocess.run(["docker", "version"], capture_output=True, text=True, check=False)
    if os.geteuid() != 0 and PERMISSION in probe.stderr:
        return ("sudo", "-n", "docker")
    return ("docker",)


def require_daemon() -> None:
    """Raise ToolMissingError unless a Docker daemon answers."""
    docker("version")


def docker(*arguments: str, check: bool = True, data: bytes | None = None, timeout: float | None = None) -> Result:
    """Run a docker command and return its output; `data` is its standard input.

    Raises ToolMissingError without program or daemon, and LabError (only with `check`) when the command fails.
    """
    run = subprocess.run([*command(), *arguments], capture_output=True, input=data, check=False, timeout=timeout)
    result = Result(run.args, run.returncode, run.stdout.decode(errors="replace"), run.stderr.decode(errors="replace"))
    if result.returncode != 0:
        refuse(arguments, result, check)
    return result


def raw(*arguments: str) -> bytes:
    """Output of a docker command as it is."""
    return subprocess.run([*command(), *arguments], capture_output=True, check=True).stdout


def refuse(arguments: Sequence[str], result: Result, check: bool) -> None:
    """Raise what a failed docker command means; a command's own failure only with `check`."""
    text = result.stderr.strip() or result.stdout.strip() or "no output"
    if any(sign in text for sign in NO_DAEMON):
        raise ToolMissingError(
            "lab",
            expected="a Docker daemon that answers",
            found=text.splitlines()[0],
            cure="start it (`systemctl start docker`, or `dockerd`) and run the command again",
        )
    if check:
        raise LabError(
            f"docker {' '.join(arguments[:2])}",
            expected="success",
            found=f"exit status {result.returncode}: {text.splitlines()[-1]}",
            cure="correct what docker complains of and run the command again: it continues where it stopped",
        )


def lines(*arguments: str) -> list[str]:
    """Output of a docker command, line by line."""
    return docker(*arguments).stdout.split("\n")[:-1]


def containers(label: str) -> list[str]:
    """Names of all containers, running or not, that carry a label such as `gpufleet.lab=demo`."""
    return lines("ps", "--all", "--filter", f"label={label}", "--format", "{{.Names}}")


def remove(container: str) -> None:
    """Remove a container by its exact name, running or not; one that is absent is fine."""
    result = docker("rm", "--force", "--volumes", container, check=False)
    if REMOVING in result.stderr:  # an interrupted command has asked for it before
        waiting.until(container, "its removal", lambda: (not exists(container), "a container"), REMOVAL_SECONDS)
    elif result.returncode != 0 and ABSENT not in result.stderr:
        refuse(("rm", container), result, check=True)


def exists(container: str) -> bool:
    """Whether a container of that exact name exists."""
    return docker("inspect", "--type=container", container, check=False).returncode == 0


def image_exists(tag: str) -> bool:
    """Whether the daemon has this image."""
    return docker("image", "inspect", tag, check=False).returncode == 0
