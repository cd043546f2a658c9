"""What the stack's matrix says against a host, as a failing command; and what it leaves alone, as a remark."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from pyinfra.api.command import QuoteString, StringCommand
from pyinfra.api.operation import operation
from pyinfra.context import host

from gpufleet.stack.verdicts import Verdict

Commands = Generator[Any, None, None]


@operation()
def refused(verdicts: Sequence[Verdict]) -> Commands:
    """
    Refuse this host with every verdict that forbids its stack, one a line, and let the others go on.

    + verdicts: the errors of a resolution

    **Example:**

    .. code:: python

        stack.refused(name="Refuse a stack that does not fit", verdicts=resolution.errors)
    """
    lines = [QuoteString(f"{host.name}: {verdict}") for verdict in verdicts]
    yield StringCommand("printf", "'%s\\n'", *lines, ">&2;", "false")


@operation()
def left_alone(why: str) -> Commands:
    """
    Do nothing, and say why.

    + why: the reason

    **Example:**

    .. code:: python

        stack.left_alone(name="Leave a host without NVSwitches alone", why="no NVSwitch on the PCI bus")
    """
    host.noop(why)
    yield from ()
