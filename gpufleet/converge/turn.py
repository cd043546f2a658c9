"""One host's turn in a wave: connect, check the right to sudo, prepare, execute, and say honestly how it came out."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from gevent import GreenletExit
from pyinfra.api.command import StringCommand
from pyinfra.api.exceptions import ConnectError, PyinfraError
from pyinfra.api.host import Host
from pyinfra.api.operations import run_host_op
from pyinfra.api.state import StateStage
from pyinfra.context import ctx_config, ctx_host
from pyinfra_cli.util import exec_file

from gpufleet.converge import diagnosis, transport
from gpufleet.converge.events import Event, HostState, Kind, Outcome
from gpufleet.converge.messages import Place
from gpufleet.converge.state import WaveState

#: The marker keeps pyinfra from taking sudo's answer for a request to prompt for a password.
SUDO_PROBE = 'answer=$(sudo -n {user}true 2>&1) || {{ echo "refused: $answer" | tail -n 1; exit 1; }}'


class Halt(Exception):  # noqa: N818 - not an error of ours: it carries a host's end up to `Turn.run`
    """The host's turn is over before its last operation."""

    def __init__(self, state: HostState, error: str) -> None:
        self.state, self.error = state, error


class Turn:
    """What happens to one host, from its connection to its last event."""

    def __init__(self, state: WaveState, host: Host, emit: Callable[[Event], None], log: transport.Diagnosis) -> None:
        self.state, self.host, self.emit, self.log = state, host, emit, log
        self.place = Place(host.name)
        #: Set by the wave when the operator wants no further operation.
        self.stopping = False
        #: An operation is under way, which a stop lets come to its end.
        self.busy = False
        self.begun = False

    def run(self, deploys: Sequence[str]) -> None:
        """Take the host through its turn; whatever happens, its last event is sent."""
        begun = time.monotonic()
        self.begun = True
        try:
            with ctx_host.use(self.host), ctx_config.use(self.state.config.copy()):
                self._steps(deploys)
            end = HostState.DONE, ""
        except Halt as halt:
            end = halt.state, halt.error
        except GreenletExit:
            end = HostState.FAILED, self.place.abandoned() if self.busy else self.place.stopped()
        except Exception as error:
            end = HostState.FAILED, self.place.raised(diagnosis.describe(error))
        with suppress(Exception):
            transport.close(self.host)
        self._end(*end, seconds=time.monotonic() - begun)

    def never_began(self) -> None:
        """Say that the operator's stop came before the host's turn."""
        self._end(HostState.FAILED, self.place.stopped())

    def _end(self, state: HostState, error: str, seconds: float = 0.0) -> None:
        self.emit(Event(Kind.ENDED, self.host.name, state=state, error=error, seconds=seconds))

    def _steps(self, deploys: Sequence[str]) -> None:
        self._enter(StateStage.Connect, Kind.CONNECTING)
        self._connect()
        self._check_sudo()
        self._enter(StateStage.Prepare, Kind.PREPARING)
        self._prepare(deploys)
        if self.state.check_for_changes:
            self._plan()
        else:
            self._enter(StateStage.Execute)
            self._execute()
            self._conclude()

    def _enter(self, stage: StateStage, kind: Kind | None = None) -> None:
        self.state.set_stage(stage)
        if kind:
            self.emit(Event(kind, self.host.name))

    def _connect(self) -> None:
        try:
            self.host.connect(raise_exceptions=True)
        except ConnectError as error:
            raise Halt(HostState.UNREACHABLE, transport.connect_problem(self.host, error)) from error
        except PyinfraError as error:
            raise Halt(HostState.UNREACHABLE, transport.login(self.host).unusable(str(error))) from error

    def _check_sudo(self) -> None:
        data = self.host.data
        has_password = data.get("_sudo_password") or data.get("_use_sudo_password")
        if has_password or not data.get("_sudo", self.state.config.SUDO):
            return
        user = f"-u {name} " if (name := data.get("_sudo_user")) else ""
        ok, output = self.host.run_shell_command(StringCommand(SUDO_PROBE.format(user=user)))
        if not ok:
            found = (output.stdout_lines or ["no answer"])[-1].removeprefix("refused: ")
            raise Halt(HostState.REFUSED, transport.login(self.host).sudo_refused(found))

    def _prepare(self, deploys: Sequence[str]) -> None:
        try:
            for deploy in deploys:
                exec_file(deploy)
        except Exception as error:
            raise Halt(HostState.FAILED, diagnosis.exception(self.place, error, self.host, self.log)) from error
        for op_hash in self.host.op_hash_order:
            if self.state.op_meta[op_hash].global_arguments["_run_once"]:
                raise Halt(HostState.FAILED, self.place.runs_once(self.state.operation_name(op_hash)))

    def _plan(self) -> None:
        for op_hash in self.host.op_hash_order:
            outcome = Outcome.UNCHANGED
            if self.state.ops[self.host][op_hash].operation_meta.will_change:
                outcome = Outcome.CONDITIONAL if self.state.is_conditional(self.host, op_hash) else Outcome.CHANGED
            self.emit(Event(Kind.PLANNED, self.host.name, self.state.operation_name(op_hash), outcome))

    def _execute(self) -> None:
        order = list(self.host.op_hash_order)
        for number, op_hash in enumerate(order, 1):
            self.place = Place(self.host.name, self.state.operation_name(op_hash), len(order) - number)
            if self.stopping:
                raise Halt(HostState.FAILED, self.place.stopped())
            started = Event(Kind.STARTED, self.host.name, self.place.operation, number=number, total=len(order))
            self.emit(started)
            self.busy = True
            self._operate(op_hash)
            self.busy = False

    def _operate(self, op_hash: str) -> None:
        self.log.begin(self.host)
        reached = len(self.host.op_hash_order)
        try:
            ok, problem = run_host_op(self.state, self.host, op_hash), ""
        except Exception as error:
            ok, problem = False, diagnosis.exception(self.place, error, self.host, self.log)
        for nested in self.host.op_hash_order[reached:]:
            self._completed(nested, ok=True)
        self._completed(op_hash, ok=ok)
        if not ok:
            meta = self.state.ops[self.host][op_hash].operation_meta
            raise Halt(HostState.FAILED, problem or diagnosis.operation(self.place, meta, self.host, self.log))

    def _completed(self, op_hash: str, *, ok: bool) -> None:
        meta = self.state.ops[self.host][op_hash].operation_meta
        changed = ok and meta.is_complete() and meta.did_change()
        outcome = Outcome.CHANGED if changed else Outcome.UNCHANGED if ok else Outcome.FAILED
        self.emit(Event(Kind.COMPLETED, self.host.name, self.state.operation_name(op_hash), outcome))

    def _conclude(self) -> None:
        """The host is done only where each of pyinfra's own records says so: each catches a case the others miss."""
        results = self.state.results[self.host]
        if self.host in self.state.failed_hosts or results.error_ops or not self.host.connected:
            raise Halt(HostState.FAILED, self.place.operation_failed(None, self.log.of(self.host)))
        operations = [operation.operation_meta for operation in self.state.ops[self.host].values()]
        if unfinished := sum(not operation.is_complete() for operation in operations):
            raise Halt(HostState.FAILED, self.place.incomplete(unfinished))
