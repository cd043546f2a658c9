"""Reboots: asking for one, and doing one."""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import Any

import gevent
from pyinfra import logger
from pyinfra.api.command import FunctionCommand, QuoteString, StringCommand
from pyinfra.api.host import Host
from pyinfra.api.operation import operation
from pyinfra.api.state import State
from pyinfra.connectors.util import clear_askpass_cache, remove_any_sudo_askpass_file
from pyinfra.context import host

from gpufleet.errors import HostError
from gpufleet.facts.boot import REBOOT_REQUIRED_DIR, BootIdentity, RebootRequired

Commands = Generator[Any, None, None]


@operation()
def require_reboot(key: str, text: str) -> Commands:
    """
    Leave a reason to reboot for others to act on.

    + key: name of the reason, such as `nvidia-driver`; one text is kept for each
    + text: why, in one sentence

    **Example:**

    .. code:: python

        boot.require_reboot(
            name="Say that the new driver needs a reboot",
            key="nvidia-driver",
            text="module nvidia 535.216.03 is in use; 535.261.03 loads at the next boot",
        )
    """
    # Want this reason and have it?
    if host.get_fact(RebootRequired).get(key) == text:
        host.noop(f"reason to reboot {key} is recorded")
        return
    yield StringCommand("install", "-d", "-m", "755", QuoteString(REBOOT_REQUIRED_DIR))
    yield StringCommand("printf", "'%s\\n'", QuoteString(text), ">", QuoteString(f"{REBOOT_REQUIRED_DIR}/{key}"))


@operation()
def clear_reboot(key: str) -> Commands:
    """
    Withdraw a reason to reboot.

    + key: name of the reason

    **Example:**

    .. code:: python

        boot.clear_reboot(name="Withdraw the driver's wish for a reboot", key="nvidia-driver")
    """
    # Want no such reason and have none?
    if key not in host.get_fact(RebootRequired):
        host.noop(f"reason to reboot {key} is not recorded")
        return
    yield StringCommand("rm", "-f", QuoteString(f"{REBOOT_REQUIRED_DIR}/{key}"))


@operation(is_idempotent=False)
def reboot(timeout_s: int = 1200, if_required: bool = False) -> Commands:
    """
    Reboot the host and wait until it is back, on the clock: big servers need 10 to 20 minutes.

    + timeout_s: seconds from the order to reboot until the host must have answered from a new boot
    + if_required: only when a reason to reboot is recorded

    **Example:**

    .. code:: python

        boot.reboot(name="Reboot where something asked for it", timeout_s=1800, if_required=True)
    """
    reasons = host.get_fact(RebootRequired)
    # Want a reboot only for a reason and have none?
    if if_required and not list(reasons):
        host.noop("no reason to reboot is recorded")
        return
    before = host.get_fact(BootIdentity)
    yield FunctionCommand(_forget_password_program, (), {})
    # Detached, so that the command ends before the connection does.
    yield StringCommand("( sleep 1 && reboot ) </dev/null >/dev/null 2>&1 &")
    yield FunctionCommand(wait_for_boot, (before, timeout_s), {})


def _forget_password_program(state: State, host: Host) -> None:
    """Remove sudo's password program while the host can still be reached; pyinfra puts it back when needed."""
    remove_any_sudo_askpass_file(host)


def wait_for_boot(state: State, host: Host, before: str, timeout_s: int, interval_s: float = 2) -> bool:
    """Reconnect until the host answers from another boot than `before`; at the deadline log an error, return False."""
    deadline = time.monotonic() + timeout_s
    seen = "no answer"
    while time.monotonic() < deadline:
        time.sleep(interval_s)
        identity = ""
        # A connection attempt has a time limit of its own, which may lie far behind the deadline.
        with gevent.Timeout(max(deadline - time.monotonic(), 0), exception=False):
            identity = _boot_identity(host)
        if identity and identity != before:
            return True
        seen = "the same boot" if identity else "no answer"
    error = HostError(
        host.name,
        expected=f"an answer from a new boot within {timeout_s} seconds",
        found=seen,
        cure="look at the host's console, then run again or raise timeout_s",
    )
    host.log_styled(str(error), fg="red", log_func=logger.error)
    return False


def _boot_identity(host: Host) -> str:
    """Read the boot identity over a fresh connection, `""` when the host does not answer.

    The fact itself is not asked: a fact that fails marks the host as failed, and here failing is the normal case.
    """
    clear_askpass_cache(host)
    try:
        host.disconnect()
        host.connect(show_errors=False)
        if not host.connected:
            return ""
        answered, output = host.run_shell_command(StringCommand(BootIdentity().command()), _timeout=10)
    except Exception:  # any failure to talk is the same answer: not yet
        return ""
    return output.stdout.strip() if answered else ""
