"""Daemons that need the driver: started where the right one is loaded, restarted where what they read has changed."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from pyinfra.api.command import QuoteString, StringCommand
from pyinfra.api.operation import operation
from pyinfra.context import host

from gpufleet.facts.boot import RebootRequired
from gpufleet.facts.gpu_daemons import GpuDaemon, GpuDaemonState
from gpufleet.facts.kernel import LoadedModules, module_name
from gpufleet.operations.nvidia import REBOOT_KEY

Commands = Generator[StringCommand, None, None]

#: Lines of a daemon's journal to show where it does not start.
LOG_LINES = 5


@operation()
def running(unit: str, files: Sequence[str] = (), modules: Sequence[str] = ()) -> Commands:
    """
    Run a daemon of the driver now and at boot: one that is stopped is started, one with changed files restarted.

    Where the loaded module waits for a reboot, the daemon would refuse the driver: it is enabled only. A changed order
    at boot restarts nothing, as some daemons end every program on the GPUs when they stop.

    + unit: full unit name
    + files: what it reads at its start alone, its program among them; absolute paths
    + modules: kernel modules that its start loads

    **Example:**

    .. code:: python

        gpu_daemons.running(name="Run IMEX", unit="nvidia-imex.service", files=["/usr/bin/nvidia-imex"])
    """
    daemon = host.get_fact(GpuDaemonState, unit=unit, files=files)
    is_masked, is_enabled = daemon.state.is_masked, daemon.state.is_enabled
    if is_masked:
        yield StringCommand("systemctl", "unmask", QuoteString(unit))
    elif daemon.is_unread:
        yield StringCommand("systemctl", "daemon-reload")
    if is_masked or not is_enabled:
        yield StringCommand("systemctl", "enable", QuoteString(unit))
    if REBOOT_KEY in host.get_fact(RebootRequired):
        host.noop(f"{unit} starts with the reboot that the driver waits for")
    elif verb := _verb(daemon, modules):
        yield StringCommand("systemctl", verb, QuoteString(unit), "||", _last_words(unit))
    else:
        host.noop(f"{unit} is enabled and running")


@operation()
def stopped(unit: str) -> Commands:
    """
    Stop a daemon, and start it at no boot; one that was masked is no longer.

    + unit: full unit name

    **Example:**

    .. code:: python

        gpu_daemons.stopped(name="Stop fabric manager", unit="nvidia-fabricmanager.service")
    """
    state = host.get_fact(GpuDaemonState, unit=unit).state
    # Want it dead and have it so?
    if not (state.is_running or state.is_enabled or state.is_masked):
        host.noop(f"{unit} does not run")
    if state.is_masked:
        yield StringCommand("systemctl", "unmask", QuoteString(unit))
    if state.is_running or state.is_enabled:
        yield StringCommand("systemctl", "disable", "--now", QuoteString(unit))


def _verb(daemon: GpuDaemon, modules: Sequence[str]) -> str:
    """Return what to tell systemd, nothing where all is well; modules may have been unloaded under a unit."""
    if not daemon.state.is_running:
        return "start"
    missing = [module for module in modules if module_name(module) not in host.get_fact(LoadedModules)]
    return "restart" if daemon.is_stale or missing else ""


def _last_words(unit: str) -> StringCommand:
    """Return the command that shows why the daemon did not start and ends with an error."""
    journal = StringCommand("journalctl", "--unit", QuoteString(unit), "--lines", str(LOG_LINES), "--output", "cat")
    return StringCommand("{", journal, ">&2;", "exit 1;", "}")
