"""Unit files of packages put right: a drop-in can add a dependency, but only a whole file can take one away."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from io import StringIO
from typing import Any

from pyinfra.api.operation import operation
from pyinfra.context import host
from pyinfra.operations import files

from gpufleet.facts.unit_files import ShippedUnit

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
    shipped = host.get_fact(ShippedUnit, unit=unit)
    path = f"/etc/systemd/system/{unit}"
    corrected = less(shipped, lines)
    if corrected == shipped:
        yield from files.file._inner(path=path, present=False)
        return
    text = f"# Managed by gpufleet: the package's file without {' and without '.join(lines)}.\n{corrected}"
    yield from files.put._inner(src=StringIO(text), dest=path, mode="644", user="root", group="root")


def less(text: str, lines: Sequence[str]) -> str:
    """Return the text of a unit file without these lines."""
    return "".join(line for line in text.splitlines(keepends=True) if line.strip() not in lines)
