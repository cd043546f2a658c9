"""Unit files of packages put right: a drop-in can add a dependency, but only a whole file can take one away."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from io import StringIO
from typing import Any

from pyinfra.api.command import QuoteString, StringCommand
from pyinfra.api.operation import operation
from pyinfra.context import host
from pyinfra.operations import files

from gpufleet.facts.unit_files import MARK, OwnUnitFiles, ShippedUnit

Commands = Generator[Any, None, None]


@operation()
def without(unit: str, lines: Sequence[str]) -> Commands:
    """
    Have a packaged unit work without some of its lines: `/etc/systemd/system/UNIT` is the shipped file less these.

    A package whose file has none of them needs no such copy, and an old copy goes.

    + unit: full unit name
    + lines: whole lines, such as `After=multi-user.target`

    **Example:**

    .. code:: python

        unit_files.without(name="Let it start during boot", unit="x.service", lines=["After=multi-user.target"])
    """
    shipped, path = host.get_fact(ShippedUnit, unit=unit), f"/etc/systemd/system/{unit}"
    corrected = less(shipped, lines)
    if corrected != shipped:
        text = f"{MARK}: the package's file without {' and without '.join(lines)}.\n{corrected}"
        yield from files.put._inner(src=StringIO(text), dest=path, mode="644", user="root", group="root")
    elif path in host.get_fact(OwnUnitFiles, unit=unit):
        yield StringCommand("rm", "-f", QuoteString(path))
    else:
        host.noop(f"{unit} is used as its package ships it")


@operation()
def forgotten(unit: str) -> Commands:
    """
    Leave nothing that was written for a unit from here: a whole unit file, drop-ins and their directory.

    + unit: full unit name

    **Example:**

    .. code:: python

        unit_files.forgotten(name="Forget the order at boot", unit="nvidia-imex.service")
    """
    own = host.get_fact(OwnUnitFiles, unit=unit)
    # Want none and have none?
    if not own:
        host.noop(f"nothing was written for {unit}")
        return
    yield StringCommand("rm", "-f", *map(QuoteString, own))
    if any(f"{unit}.d/" in path for path in own):
        directory = QuoteString(f"/etc/systemd/system/{unit}.d")
        yield StringCommand("rmdir", "--ignore-fail-on-non-empty", directory)
    yield StringCommand("systemctl", "daemon-reload")


def less(text: str, lines: Sequence[str]) -> str:
    """Return the text of a unit file without these lines."""
    return "".join(line for line in text.splitlines(keepends=True) if line.strip() not in lines)
