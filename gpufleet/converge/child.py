"""A wave's process, after the standard library was made cooperative: all its hosts at once, each in a greenlet."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from logging import INFO, getLogger
from pathlib import Path

import gevent
from gevent.pool import Pool
from gevent.socket import wait_read
from pyinfra import logger
from pyinfra.api.config import Config
from pyinfra.api.inventory import Inventory
from pyinfra.api.state import MAX_PARALLEL, State
from pyinfra.context import ctx_config, ctx_state
from pyinfra_cli.inventory import make_inventory
from pyinfra_cli.log import LogHandler
from pyinfra_cli.util import exec_file

from gpufleet.converge import patches, transport
from gpufleet.converge.events import Event, Kind
from gpufleet.converge.request import Request
from gpufleet.converge.state import WaveState
from gpufleet.converge.turn import Turn

#: pyinfra leaves its constructor without types.
CONFIG: Callable[[], Config] = Config


class Wave:
    """All hosts of one request."""

    def __init__(self, request: Request, events: int) -> None:
        self.request, self.events = request, events
        inventory, config = load(request)
        self.log = transport.Diagnosis()
        logger.addHandler(self.log)
        self.state = WaveState(inventory, config, dry=request.dry, cwd=str(Path.cwd()))
        self.state.callback_handlers.append(transport.ConnectionCallback())
        self.state.as_context()
        wanted = set(request.hosts)
        self.turns = [Turn(self.state, host, self.emit, self.log) for host in inventory if host.name in wanted]
        self.greenlets: dict[Turn, gevent.Greenlet] = {}

    def run(self) -> None:
        """Give every host its turn, and come back when the last has ended."""
        pool = Pool(max(1, min(len(self.turns), MAX_PARALLEL)))
        for turn in self.turns:
            if not turn.stopping:
                self.greenlets[turn] = pool.spawn(turn.run, self.request.deploys)
        pool.join()
        for turn in self.turns:
            if not turn.begun:
                turn.never_began()
        self.emit(Event(Kind.ROLES, names=roles()))

    def emit(self, event: Event) -> None:
        """Tell the parent; without a parent there is no reason to go on."""
        data = event.to_line().encode()
        while data:
            data = data[os.write(self.events, data) :]

    def stop(self) -> None:
        """First request: begin no further operation. Second: do not wait for those under way either."""
        again = all(turn.stopping for turn in self.turns)
        for turn in self.turns:
            turn.stopping = True
            greenlet = self.greenlets.get(turn)
            if greenlet is not None and (again or not turn.busy):
                greenlet.kill(block=False)

    def heed(self, channel: int) -> None:
        """Stop at each line from the parent, and abandon everything when its end of the channel closes."""
        while True:
            wait_read(channel)
            words = os.read(channel, 1024)
            for _ in range(words.count(b"\n") or 2):
                self.stop()
            if not words:
                return


def load(request: Request) -> tuple[Inventory, Config]:
    """The inventory and the configuration that pyinfra's own command would see in this directory."""
    config = CONFIG()
    with ctx_state.use(State()), ctx_config.use(config):
        if Path("config.py").is_file():
            exec_file("config.py")
        return make_inventory(request.inventory, cwd=str(Path.cwd())), config


def roles() -> tuple[str, ...]:
    """Roles whose deploys were imported by the deploy files."""
    parts = [name.split(".") for name in sys.modules]
    return tuple(sorted(part[1] for part in parts if len(part) == 3 and part[0] == "roles" and part[2] == "deploy"))


def main() -> None:
    """Read the request from standard input, write events to standard output; without a request do nothing."""
    sys.path[:0] = [str(Path.cwd())]
    line = sys.stdin.readline()
    if not line:
        return
    request = Request.from_line(line)
    channel, events = os.dup(0), os.dup(1)
    # What deploy code prints or asks must not reach the two channels.
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    logger.setLevel(INFO)
    logger.addHandler(LogHandler())
    logger.propagate = False
    getLogger("paramiko").setLevel("CRITICAL")
    patches.apply()
    wave = Wave(request, events)
    for number in (signal.SIGINT, signal.SIGTERM):
        gevent.signal_handler(number, wave.stop)
    gevent.spawn(wave.heed, channel)
    wave.run()
