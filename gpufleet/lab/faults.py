"""Faults that a host can be given, and taken from again: what is really broken, and how."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gpufleet.errors import LabError
from gpufleet.lab import docker, names, state
from gpufleet.lab.identity import MACHINE_TARGET
from gpufleet.lab.recipe import EMULATION_TARGET

if TYPE_CHECKING:
    from gpufleet.lab.hosts import LabHost

#: Injected by the emulation's own program inside the host.
HARDWARE = (
    *("gpu-lost", "xid", "ecc-uncorrectable", "remap-pending", "module-in-use"),
    *("secure-boot", "mok-unattended"),
)
#: Injected from outside the host.
APT_DOWN, NO_RETURN = "apt-down", "no-return-from-reboot"

#: Where packages are downloaded to: apt's directory, or dnf's.
FULL = "$([ -d /var/cache/apt ] && echo /var/cache/apt/archives || echo /var/cache/dnf)"
SLOW = "/etc/ssh/sshd_config.d/gpufleet-lab-slow.conf"
LOCK_UNIT = "gpufleet-lab-dpkg-lock.service"


@dataclass(frozen=True)
class Script:
    """A fault that shell commands on the host make, undo and recognize."""

    inject: str
    clear: str
    seen: str
    #: What the value means, for faults that take one; it replaces `@` in the commands.
    value: str = ""


#: Faults of the machine around the GPUs.
SCRIPTS = {
    # A full file system of 1 MiB over apt's download directory; gone after a reboot.
    "disk-full": Script(
        f"mountpoint -q {FULL} || mount -t tmpfs -o size=1m,mode=755 gpufleet-lab-full {FULL}\n"
        f"head -c 2M /dev/zero > {FULL}/gpufleet-lab-ballast 2> /dev/null || true",
        f"! mountpoint -q {FULL} || umount {FULL}",
        f"mountpoint -q {FULL}",
    ),
    # A real process that holds the four locks of dpkg and apt; gone after a reboot.
    "dpkg-locked": Script(
        f"systemctl -q is-active {LOCK_UNIT} || systemd-run --quiet --collect --unit={LOCK_UNIT} "
        f"--property=Type=notify {MACHINE_TARGET}/hold-locks",
        f"systemctl stop {LOCK_UNIT} 2> /dev/null || true",
        f"systemctl -q is-active {LOCK_UNIT}",
    ),
    # No SSH server, sessions cut off; stays over reboots.
    "ssh-refused": Script(
        "systemctl --quiet mask --now ssh.socket ssh.service; pkill -x 'sshd|sshd-session' || true",
        "systemctl --quiet unmask ssh.socket ssh.service && systemctl start ssh.service",
        "[ -L /etc/systemd/system/ssh.service ]",
    ),
    # Every command and every file transfer of a new SSH connection begins late; stays over reboots.
    "slow": Script(
        f"echo 'ForceCommand {MACHINE_TARGET}/slow @' > {SLOW}; systemctl restart ssh.service",
        f"rm -f {SLOW}; systemctl restart ssh.service",
        f"[ -e {SLOW} ]",
        value="milliseconds",
    ),
}
KINDS = (*HARDWARE, NO_RETURN, "disk-full", APT_DOWN, "dpkg-locked", "ssh-refused", "slow")


def apply(host: LabHost, kind: str, value: str | None, *, clear: bool) -> None:
    """Give the host a fault, or take it away; doing either twice is fine."""
    names.known(f"host {host.name}", "fault", kind, KINDS)
    if kind in HARDWARE:
        words = [f"{EMULATION_TARGET}/fault", kind, *([value] if value is not None else [])]
        host.execute(shlex.join([*words, *(["--clear"] if clear else [])]))
    elif kind == APT_DOWN:
        deny(host, refused=not clear)
    elif kind == NO_RETURN:
        restart(host, returns=clear)
    elif clear:
        host.execute(SCRIPTS[kind].clear)
    else:
        inject(host, kind, value)


def inject(host: LabHost, kind: str, value: str | None) -> None:
    """Run the commands of one of SCRIPTS."""
    script = SCRIPTS[kind]
    if script.value and (value is None or not value.isdecimal()):
        raise LabError(
            f"host {host.name}",
            expected=f"{script.value} for the fault {kind}",
            found="no value" if value is None else f"`{value}`",
            cure=f"give a whole number, as in `gpufleet lab fault {host.name} {kind} 200`",
        )
    host.execute(script.inject.replace("@", f"{int(value or 0) / 1000:.3f}"))


def deny(host: LabHost, *, refused: bool) -> None:
    """Let the package archive refuse the host, or serve it again."""
    path = host.state.denied
    with state.locked(path.with_suffix(".lock")):
        others = {address for address in denied(host) if address != host.address}
        state.write(
            path, "".join(f"{address}\n" for address in sorted(others | ({host.address} if refused else set())))
        )


def denied(host: LabHost) -> list[str]:
    """Addresses that the package archive refuses."""
    return host.state.denied.read_text().split() if host.state.denied.is_file() else []


def restart(host: LabHost, *, returns: bool) -> None:
    """Let the host come back from a reboot, or stay down; one that stayed down is started again."""
    docker.docker("update", f"--restart={'always' if returns else 'no'}", host.container)
    if returns and not running(host):
        docker.docker("start", host.container)
        host.wait_until_up()


def running(host: LabHost) -> bool:
    """Whether the host's container runs."""
    return inspect(host, "{{.State.Running}}") == "true"


def inspect(host: LabHost, template: str) -> str:
    """What Docker says of the host's container; empty where there is none."""
    return docker.docker("inspect", f"--format={template}", host.container, check=False).stdout.strip()


def active(host: LabHost) -> list[str]:
    """Faults that the host has now."""
    script = "\n".join(f"if {script.seen}; then echo {kind}; fi" for kind, script in SCRIPTS.items())
    found = {*hardware(host), *(host.execute(script, check=False).stdout.split() if running(host) else [])}
    if inspect(host, "{{.HostConfig.RestartPolicy.Name}}") == "no":
        found.add(NO_RETURN)
    if host.address in denied(host):
        found.add(APT_DOWN)
    return [kind for kind in KINDS if kind in found]


def hardware(host: LabHost) -> list[str]:
    """Faults that the emulation keeps in the host's directory."""
    path = host.state.host(host.name) / "faults.json"
    return [kind for kind, value in json.loads(path.read_text()).items() if value] if path.is_file() else []
