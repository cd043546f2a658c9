"""One container host: how it is described, made, reached and rebooted."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from typing import Self

from gpufleet.errors import LabError, ToolMissingError
from gpufleet.lab import docker, faults, names, network, waiting
from gpufleet.lab.state import State

#: Login of the lab's hosts: a normal user with sudo.
USER = "operator"
#: Seconds for a boot, and for a boot to begin.
BOOT_SECONDS = 180
#: Tells one boot from the next, in a container too, whose boot_id is the machine's.
IDENTITY = "cat /proc/sys/kernel/random/boot_id && cut -d' ' -f22 /proc/1/stat"


@dataclass(frozen=True)
class HostSpec:
    """A host to have: `gpu-01=debian-12/hgx-h100`."""

    name: str
    os: str
    profile: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read NAME=OS/PROFILE; raises LabError for another shape, or an unknown operating system."""
        name, _, rest = text.partition("=")
        system, _, profile = rest.partition("/")
        if not (name and system and profile):
            raise LabError(
                "host", expected="NAME=OS/PROFILE", found=f"`{text}`", cure="write it as gpu-01=debian-12/hgx-h100"
            )
        names.known(f"host {name}", "operating system", system, names.SYSTEMS)
        return cls(names.well_formed("host", name), system, profile)


@dataclass(frozen=True)
class LabHost:
    """A host of a lab."""

    name: str
    os: str
    profile: str
    address: str
    state: State

    @property
    def container(self) -> str:
        """Name of the host's container."""
        return f"{network.name(self.state.lab)}-{self.name}"

    def execute(self, command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a shell command as root, past SSH; raises LabError (only with `check`) when it fails."""
        result = docker.docker("exec", self.container, "sh", "-c", command, check=False)
        if check and result.returncode != 0:
            raise self.failed(command, result)
        return result

    def ssh(self, command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command over SSH as the lab's user, host key checked; raises LabError (only with `check`)."""
        try:
            result = subprocess.run([*self.ssh_command(), command], capture_output=True, text=True, check=False)
        except FileNotFoundError as error:
            raise ToolMissingError(
                "lab", expected="the program ssh", found="none on PATH", cure="install the package openssh-client"
            ) from error
        if check and result.returncode != 0:
            raise self.failed(command, result)
        return result

    def ssh_command(self) -> list[str]:
        """The ssh command up to and including the destination."""
        options = {
            "IdentityFile": self.state.key,
            "UserKnownHostsFile": self.state.known_hosts,
            "GlobalKnownHostsFile": os.devnull,
            "StrictHostKeyChecking": "yes",
            "IdentitiesOnly": "yes",
            "BatchMode": "yes",
            "ConnectTimeout": 10,
        }
        settings = [f"-o{key}={value}" for key, value in options.items()]
        return ["ssh", "-F", os.devnull, *settings, f"{USER}@{self.address}"]

    def failed(self, command: str, result: subprocess.CompletedProcess[str]) -> LabError:
        """The refusal when a command on the host fails."""
        last = ((result.stderr.strip() or result.stdout.strip()).splitlines() or ["no output"])[-1]
        return LabError(
            f"host {self.name}",
            expected=f"success of `{command}`",
            found=f"exit status {result.returncode}: {last}",
            cure=f"look into it with `docker exec -it {self.container} bash`",
        )

    def boot_identity(self) -> str:
        """What differs from one boot to the next; empty while the host is down."""
        result = self.execute(IDENTITY, check=False)
        return result.stdout.strip() if result.returncode == 0 else ""

    def wait_until_up(self) -> None:
        """Wait until the host has booted and answers over SSH; raises LabError at the deadline."""
        waiting.until(self.container, "a finished boot", self.booted, BOOT_SECONDS)
        if "ssh-refused" not in faults.active(self):
            waiting.until(self.container, "an answer over SSH", self.answers, BOOT_SECONDS)

    def booted(self) -> tuple[bool, str]:
        """Whether systemd has finished booting, and what it says."""
        result = self.execute("systemctl is-system-running", check=False)
        seen = (result.stdout.strip() or result.stderr.strip()).split("\n")[-1]
        return seen in ("running", "degraded"), seen

    def answers(self) -> tuple[bool, str]:
        """Whether the host answers over SSH, and what ssh complains of."""
        result = self.ssh("true", check=False)
        return result.returncode == 0, result.stderr.strip().split("\n")[-1]

    def reboot(self) -> None:
        """Reboot the host and wait until it is up again; raises LabError when it does not return."""
        before = self.boot_identity()
        self.execute("systemctl reboot")
        self.wait_for_new_boot(before)

    def wait_for_new_boot(self, before: str) -> None:
        """Wait until the host runs a boot other than the given one and is up; raises LabError at the deadline."""

        def rebooted() -> tuple[bool, str]:
            now = self.boot_identity()
            return now not in ("", before), "the old one" if now else "no answer"

        waiting.until(self.container, "a new boot", rebooted, BOOT_SECONDS)
        self.wait_until_up()

    def fault(self, kind: str, value: str | int | None = None, clear: bool = False) -> None:
        """Inject a fault, or clear it; raises LabError for an unknown kind or a bad value."""
        faults.apply(self, kind, None if value is None else str(value), clear=clear)
