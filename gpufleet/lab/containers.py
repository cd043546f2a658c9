"""Making the containers of hosts, and finding those that exist: Docker's labels are the truth about them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gpufleet.errors import LabError
from gpufleet.lab import bundle, compilations, docker, state
from gpufleet.lab.bundle import Entry
from gpufleet.lab.control_plane import node
from gpufleet.lab.hosts import HostSpec, LabHost
from gpufleet.lab.network import Network
from gpufleet.lab.profiles import Profile
from gpufleet.lab.state import State

#: Capabilities and mounts with which systemd boots as PID 1 and the emulation may mount.
#: CAP_SYS_RESOURCE is dropped because the root of some machines lacks it: hard limits cannot be raised in a lab host.
FLAGS = (
    *("--cap-add=ALL", "--cap-drop=SYS_RESOURCE", "--security-opt=seccomp=unconfined"),
    *("--security-opt=apparmor=unconfined", "--cgroupns=host", "--tmpfs=/run", "--tmpfs=/tmp:exec"),
)
#: Numbers of the user and group operator in the image.
OWNER, GROUP = 1000, 37
FORMAT = "\t".join(f'{{{{.Label "gpufleet.{key}"}}}}' for key in ("host", "os", "profile", "address")) + "\t{{.State}}"


@dataclass(frozen=True)
class Found:
    """A host that the lab has, with what Docker says of its container: running, exited, created, absent ..."""

    host: LabHost
    status: str

    @property
    def complete(self) -> bool:
        """Whether the container was started once; one that was not may lack its keys."""
        return self.status not in ("created", "absent")


def find(lab: State) -> dict[str, Found]:
    """All hosts of a lab, by name: those with a container, and those recorded whose container has gone."""
    found = {host.name: Found(host, "absent") for host in recorded(lab)}
    for row in docker.lines("ps", "--all", f"--filter=label=gpufleet.lab={lab.lab}", f"--format={FORMAT}"):
        name, os, profile, address, status = row.split("\t")
        found[name] = Found(LabHost(name, os, profile, address, lab), status)
    return found


def recorded(lab: State) -> list[LabHost]:
    """The hosts that lab.json lists; none where the lab was never complete."""
    rows = (lab.read() or {"hosts": []})["hosts"]
    return [LabHost(row["name"], row["os"], row["profile"], row["address"], lab) for row in rows]


def plan(lab: State, specs: Iterable[HostSpec], net: Network, found: dict[str, Found]) -> list[LabHost]:
    """The hosts to have: existing ones as they are, new ones with the lowest free addresses."""
    free = net.free(one.host.address for one in found.values())
    hosts = {name: one.host for name, one in found.items()}
    for spec in specs:
        host = hosts.setdefault(spec.name, LabHost(spec.name, spec.os, spec.profile, "", lab))
        if (host.os, host.profile) != (spec.os, spec.profile):
            raise LabError(
                f"host {spec.name}",
                expected=f"{spec.os}/{spec.profile}",
                found=f"an existing host that is {host.os}/{host.profile}",
                cure=f"run `gpufleet lab down --lab {lab.lab}` first, or choose another name",
            )
        if not host.address:
            hosts[spec.name] = LabHost(spec.name, spec.os, spec.profile, next(free), lab)
    return [hosts[name] for name in sorted(hosts)]


def start(host: LabHost, found: Found | None, image: str, net: Network) -> None:
    """Start a host, making its container unless one exists; one that an interrupt left half made is made anew."""
    if found is None or not found.complete:
        docker.remove(host.container)
        create(host, image, net)
    if found is None or found.status != "running":
        docker.docker("start", host.container)
    host.wait_until_up()


def create(host: LabHost, image: str, net: Network) -> None:
    """Make the container of a host, with its hardware profile, keys and address."""
    directory = host.state.host(host.name)
    state.write(directory / "profile.json", Profile.load(host.profile).model_dump_json(indent=2) + "\n")
    state.write(directory / "faults.json", "{}\n")
    (directory / "efivars").mkdir(exist_ok=True)
    labels = {"lab": host.state.lab, "host": host.name, "os": host.os, "profile": host.profile, "address": host.address}
    docker.docker(
        *("create", "--name", host.container, "--hostname", host.name, "--restart=always", *FLAGS),
        *("--network", net.name, "--ip", host.address, f"--add-host=archive:{net.gateway}"),
        *(f"--label=gpufleet.{key}={value}" for key, value in labels.items()),
        f"--volume={compilations.directory()}:{compilations.TARGET}",
        *(f"--volume=/sys/fs/cgroup:/sys/fs/cgroup:{cgroup_mode()}", f"--volume={directory}:/etc/gpufleet-lab"),
        *(*node.flags(host.state), image, node.command(host.state)),
    )
    bundle.copy([*keys(host), *node.entries(host)], host.container)


def cgroup_mode() -> str:
    """How systemd needs the control groups mounted: it writes to its own part of a unified hierarchy."""
    return "rw" if docker.docker("info", "--format={{.CgroupVersion}}").stdout.strip() == "2" else "ro"


def keys(host: LabHost) -> list[Entry]:
    """The host's own SSH key, and the user's public one."""
    path = host.state.host_key(host.name)
    public = state.ensure_key(path, host.name)
    allowed = state.ensure_key(host.state.key, f"gpufleet-lab-{host.state.lab}")
    return [
        Entry("/etc/ssh/ssh_host_ed25519_key", path.read_bytes(), 0o600),
        Entry("/etc/ssh/ssh_host_ed25519_key.pub", f"{public}\n".encode()),
        Entry("/home/operator/.ssh/authorized_keys", f"{allowed}\n".encode(), 0o600, OWNER, GROUP),
    ]


def known_hosts(hosts: Iterable[LabHost]) -> str:
    """Lines for known_hosts: each host's key under its name and its address."""
    lines = []
    for host in hosts:
        kind, key, *_ = state.ensure_key(host.state.host_key(host.name), host.name).split()
        lines.append(f"{host.name},{host.address} {kind} {key}\n")
    return "".join(lines)


def remove(lab: State) -> None:
    """Remove every container of a lab, by its exact name."""
    for container in docker.containers(f"gpufleet.lab={lab.lab}"):
        docker.remove(container)


def describe(host: LabHost) -> dict[str, str]:
    """A host as lab.json has it."""
    return {key: getattr(host, key) for key in ("name", "os", "profile", "address", "container")}
