"""The container in which the control plane runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gpufleet.errors import LabError
from gpufleet.lab import base, bundle, docker, image, network, sources, waiting
from gpufleet.lab.bundle import Entry
from gpufleet.lab.control_plane import build, configuration
from gpufleet.lab.control_plane.programs import Programs
from gpufleet.lab.docker import Result
from gpufleet.lab.network import Network
from gpufleet.lab.state import State

#: Its packages are those of hosts of this system, whose image a lab has anyway.
SYSTEM = "debian-13"
SECONDS = 240
CONTAINER, TARGET = Path(__file__).parent / "container", "/usr/lib/gpufleet-lab-control"
SETTINGS, READY = "/etc/gpufleet-lab-control.yaml", "/var/lib/gpufleet-lab-control-ready"
PROGRAMS = f"{TARGET}/bin"
ADMIN, CA = "/etc/kubernetes/admin.conf", "/etc/kubernetes/pki/ca.crt"
_READYZ = f"test -e {READY} && kubectl --kubeconfig {ADMIN} get --raw /readyz"
_LAST = "tail -n 1 /var/log/gpufleet-lab-control/kube-apiserver.log"


@dataclass(frozen=True)
class Server:
    """The control plane's container of a lab."""

    lab: State

    @property
    def container(self) -> str:
        """Name of the container."""
        return f"{network.name(self.lab.lab)}-{configuration.NODE}"

    def start(self, net: Network, programs: Programs, images: Mapping[str, str], say: base.Say) -> None:
        """Have the control plane run and answer; one that runs is left alone."""
        status = self.status()
        if status in ("", "created"):
            docker.remove(self.container)
            self._create(net, programs, images, say)
        if status != "running":
            docker.docker("start", self.container)
        waiting.until(self.container, "an API server that is ready", self._ready, SECONDS)

    def _create(self, net: Network, programs: Programs, images: Mapping[str, str], say: base.Say) -> None:
        one = image.recipes([SYSTEM], images)[0]
        if not docker.image_exists(one.base_tag()):
            base.ensure(one, net, sources.discover(sources.read(), sources.probe), say)
        docker.docker(
            *("create", "--name", self.container, f"--hostname={configuration.NODE}", "--restart=always"),
            *("--tmpfs=/run", "--network", net.name, "--ip", address(net)),
            f"--label=gpufleet.control-plane={self.lab.lab}",
            # One by one, as ready programs may be links to wherever.
            *(f"--volume={programs.path(name).resolve()}:{PROGRAMS}/{name}:ro" for name in build.NAMES),
            *(f"--env=PATH={PROGRAMS}:/usr/sbin:/usr/bin:/sbin:/bin", one.base_tag(), f"{TARGET}/supervise"),
        )
        settings = configuration.text(address(net), programs.version)
        bundle.copy([*bundle.tree(CONTAINER, TARGET), Entry(SETTINGS, settings.encode())], self.container)

    def status(self) -> str:
        """What Docker says of the container: running, exited, created; nothing where there is none."""
        return self._inspect("{{.State.Status}}")

    def address(self) -> str:
        """Its address, empty where it does not run."""
        return self._inspect("{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}")

    def _inspect(self, template: str) -> str:
        return docker.docker("inspect", f"--format={template}", self.container, check=False).stdout.strip()

    def _ready(self) -> tuple[bool, str]:
        asked = docker.docker("exec", self.container, "sh", "-c", f"({_READYZ}) 2>&1 || {_LAST}", check=False)
        said = (asked.stdout or asked.stderr).strip().rpartition("\n")[2]
        return said == "ok", said

    def run(self, *command: str, data: bytes | None = None) -> str:
        """Run a program of Kubernetes as the cluster's administrator; raises LabError when it fails."""
        administrator = ("exec", "-i", f"--env=KUBECONFIG={ADMIN}", self.container)
        done = docker.docker(*administrator, *command, data=data or b"", check=False)
        if done.returncode != 0:
            raise self._failed(command, done)
        return done.stdout

    def _failed(self, command: tuple[str, ...], done: Result) -> LabError:
        said = ((done.stderr.strip() or done.stdout.strip()).splitlines() or ["no output"])[-1]
        return LabError(
            f"control plane of lab {self.lab.lab}",
            expected=f"success of `{' '.join(command[:2])}`",
            found=f"exit status {done.returncode}: {said}",
            cure=f"look into it with `docker logs {self.container}`",
        )

    def row(self, version: str) -> dict[str, str | list[str]]:
        """Return its row for `lab status`."""
        return {
            "name": configuration.NODE,
            "os": SYSTEM,
            "profile": f"kubernetes {version}",
            "address": self.address(),
            "state": "running" if self.status() == "running" else "down",
            "kernel": "",
            "faults": [],
        }


def address(net: Network) -> str:
    """Return the control plane's address in a lab's network, after that of a fabric's simulator."""
    return str(net.subnet[3])
