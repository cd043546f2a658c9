"""Single lines of files that belong to others."""

from __future__ import annotations

from collections.abc import Generator

from pyinfra.api.command import QuoteString, StringCommand
from pyinfra.api.operation import operation
from pyinfra.context import host
from pyinfra.facts.files import FindInFile

Commands = Generator[StringCommand, None, None]

#: Put before a line that is out of force, so that a person sees who did it and how to undo it.
MARKER = "# off by gpufleet: "


@operation()
def off(path: str, pattern: str, present: bool = True) -> Commands:
    """
    Comment lines of somebody else's file out, or put the lines back that this operation commented out.

    + path: the file
    + pattern: basic regular expression that finds the lines in force, from `^`
    + present: whether the lines are to be out of force

    **Example:**

    .. code:: python

        lines.off(path="/etc/chrony/chrony.conf", pattern="^pool ", name="Leave the distribution's time servers")
    """
    wrong = pattern if present else f"^{MARKER}"
    # Want them so and have them so?
    if not host.get_fact(FindInFile, path=path, pattern=wrong):
        host.noop(f"lines of {path} are {'out of force' if present else 'in force'}")
        return
    edit = f"s/{pattern}/{MARKER}&/" if present else f"s/^{MARKER}//"
    yield StringCommand("sed", "-i", QuoteString(edit), QuoteString(path))
