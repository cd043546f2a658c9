"""The container in which ibsim runs: its image, its console, and who is attached to it."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gpufleet.errors import LabError
from gpufleet.lab import base, bundle, docker, network, recipe, sources, state, waiting
from gpufleet.lab.bundle import Entry
from gpufleet.lab.fabric import settings as settings_
from gpufleet.lab.network import Network
from gpufleet.lab.recipe import Recipe
from gpufleet.lab.state import State
from gpufleet.lab.systems import SYSTEMS, System
from gpufleet.project import cache_dir

#: Its release has ibsim 0.12, the first in Debian that knows NDR.
SYSTEM = "debian-13"
PORT = 7070
SECONDS = 30
NET, RUN = "/etc/gpufleet-lab-fabric.net", "/run/gpufleet-lab-fabric"
LIBRARY = "/usr/lib/x86_64-linux-gnu/umad2sim/libumad2sim.so"
ANSWERS, ANSWERS_SOURCE = "/usr/lib/gpufleet-lab-answers.so", Path(__file__).with_name("answers.c")
#: The console is a pipe that never ends; its other side is the file `log`.
START = (
    f"mkdir -p {RUN} && mkfifo {RUN}/console && (exec sleep infinity >{RUN}/console &) && "
    f"LD_PRELOAD={ANSWERS} exec ibsim -s -r -l {PORT} {NET} <{RUN}/console >{RUN}/log 2>&1"
)
#: Sends the lines of standard input, the last of which the simulator repeats, and prints all that came up to there.
ASK = (
    f"cd {RUN} && before=$(wc -c <log) && cat >console && "
    'timeout 20 sh -c \'until tail -c +$(($0 + 1)) log | grep -qF "$1"; do sleep 0.05; done\' "$before" "$1" && '
    "tail -c +$((before + 1)) log"
)
_CLIENT = re.compile(r'Client (\d+): pid \d+ connected at "([^"]+)" .*qp \d+ ?(SM)?')


@dataclass(frozen=True)
class SimulatorRecipe(Recipe):
    """A base system with the simulator."""

    @property
    def os(self) -> System:
        """The release below it."""
        return SYSTEMS[SYSTEM]

    @property
    def packages(self) -> tuple[str, ...]:
        """Debian packages of the image."""
        return ("ibsim-utils",)

    def base_tag(self) -> str:
        """Tag of the image."""
        return recipe.tag(self.system, "base", repr((self, self.packages, recipe.EXCLUDED)))


@dataclass(frozen=True)
class Simulator:
    """The simulator of a lab."""

    lab: State

    @property
    def container(self) -> str:
        """Name of its container."""
        return f"{network.name(self.lab.lab)}-fabric"

    def start(self, net: Network, text: str, images: Mapping[str, str], say: base.Say) -> None:
        """Have it run on the text of a net file; one that runs is left alone."""
        status = self.status()
        if status in ("", "created"):
            docker.remove(self.container)
            self._create(net, text, images, say)
        if status != "running":
            docker.docker("start", self.container)
            waiting.until(self.container, "a console of ibsim", self._ready, SECONDS)

    def _create(self, net: Network, text: str, images: Mapping[str, str], say: base.Say) -> None:
        one = SimulatorRecipe("fabric", images.get(SYSTEM, ""), recipe.this_week())
        if not docker.image_exists(one.base_tag()):
            base.ensure(one, net, sources.discover(sources.read(), sources.probe), say)
        library = answers(one, net, say)
        docker.docker(
            *("create", "--name", self.container, "--hostname=fabric", "--restart=always", "--tmpfs=/run"),
            *("--network", net.name, "--ip", address(net), f"--label=gpufleet.fabric={self.lab.lab}"),
            *(one.base_tag(), "/bin/sh", "-ec", START),
        )
        bundle.copy([Entry(NET, text.encode()), Entry(ANSWERS, library)], self.container)

    def status(self) -> str:
        """What Docker says of the container: running, exited, created; nothing where there is none."""
        return self._inspect("{{.State.Status}}")

    def started(self) -> str:
        """When the simulator began, with everything as planned."""
        return self._inspect("{{.State.StartedAt}}")

    def _inspect(self, template: str) -> str:
        return docker.docker("inspect", f"--format={template}", self.container, check=False).stdout.strip()

    def _ready(self) -> tuple[bool, str]:
        log = docker.docker("exec", self.container, "cat", f"{RUN}/log", check=False)
        text = log.stdout + log.stderr
        return "sim> " in text, text.strip().rpartition("\n")[2]

    def ask(self, *commands: str) -> str:
        """Give the console commands, and return what it answers; raises LabError for what it refuses."""
        mark = f"# {secrets.token_hex(8)}"
        lines = "".join(f"{line}\n" for line in (*commands, mark)).encode()
        with state.locked(self.lab.path / "fabric.lock"):
            said = docker.docker("exec", "-i", self.container, "sh", "-c", ASK, "sh", mark, data=lines, check=False)
        answer = said.stdout.replace(mark, "").replace("sim> ", "").strip()
        wrong = [line for line in answer.splitlines() if line.startswith("#") or "unknown - skipped" in line]
        if said.returncode != 0 or wrong:
            found = wrong[0] if wrong else said.stderr.strip() or f"exit status {said.returncode}"
            cure = f"look into it with `docker exec {self.container} cat {RUN}/log`"
            raise LabError(f"fabric of lab {self.lab.lab}", expected=f"`{commands[0]}` done", found=found, cure=cure)
        return answer

    def detach_managers(self, nodes: list[str]) -> None:
        """Forget the subnet managers that were attached at these nodes: those that were killed could not say so."""
        clients = [match.groups() for line in self.ask("Attached").splitlines() if (match := _CLIENT.match(line))]
        if dead := [f"X {number}" for number, node, manager in clients if manager and node in nodes]:
            self.ask(*dead)

    def set_port(self, node: str, number: int, **settings: int) -> None:
        """Change what a port enables: `width`, `speed`, `extended`."""
        settings_.enable(self.address(), PORT, node, number, **settings)

    def address(self) -> str:
        """Its address, empty where it does not run."""
        return self._inspect("{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}")

    def library(self) -> bytes:
        """Return the library that attaches programs to the simulator."""
        return docker.raw("exec", self.container, "cat", LIBRARY)

    def row(self, faults: list[str]) -> dict[str, str | list[str]]:
        """Return its row for `lab status`."""
        up = self.status() == "running"
        return {
            "name": "fabric",
            "os": SYSTEM,
            "profile": "ibsim",
            "address": self.address(),
            "state": "running" if up else "down",
            "kernel": "",
            "faults": faults,
        }


def answers(one: SimulatorRecipe, net: Network, say: base.Say) -> bytes:
    """Return the library by which ibsim answers every request, compiled once and kept by content."""
    path = cache_dir() / "emulation" / f"{recipe.tag('', '', ANSWERS_SOURCE.read_text()).split('-')[-1]}.so"
    with state.locked(path.with_suffix(".lock")):
        if not path.is_file():
            say("fabric: compiling the library by which ibsim answers every request")
            upstream = sources.discover(sources.read(), sources.probe)
            base.compile_library(one, net, upstream, ANSWERS_SOURCE, path)
    return path.read_bytes()


def address(net: Network) -> str:
    """Return the simulator's address in a lab's network; hosts have those from network.FIRST on."""
    return str(net.subnet[2])
