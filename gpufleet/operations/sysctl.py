"""Kernel settings: the drop-ins put in force where the kernel works by other values."""

from __future__ import annotations

from collections.abc import Generator, Mapping

from pyinfra.api.command import QuoteString, StringCommand
from pyinfra.api.operation import operation
from pyinfra.context import host

from gpufleet.facts.sysctl import SysctlValues, key_path
from gpufleet.operations import failure

Commands = Generator[StringCommand, None, None]


@operation()
def in_force(values: Mapping[str, str]) -> Commands:
    """
    Load every sysctl drop-in where the kernel works by other values than these, then hold the kernel to them.

    A key that this kernel does not have is passed over: verification reports it. A value that the kernel refuses, or
    that a later file overrides, fails the host.

    + values: declared value of each key; whatever file sets them was written before

    **Example:**

    .. code:: python

        sysctl.in_force(values={"vm.max_map_count": "1048576"}, name="Put the kernel settings in force")
    """
    live = host.get_fact(SysctlValues, keys=list(values))
    wrong = [key for key, value in values.items() if live.get(key, value) != value]
    if missing := [key for key in values if key not in live]:
        host.noop(f"no such key on this kernel: {', '.join(missing)}")
    # Want these values and have them?
    if not wrong:
        host.noop("kernel settings are in force")
        return
    # Its status also covers keys of other people's files, so ours are read back one by one.
    yield StringCommand("sysctl", "--system", ">", "/dev/null", "||", "true")
    for key in wrong:
        yield _must_read(key, values[key])


def _must_read(key: str, value: str) -> StringCommand:
    """Return the command that fails, with the value found, unless the kernel works by this one."""
    found = StringCommand(f'"$(echo $(cat {key_path(key)}))"')
    refusal = failure(
        f"{host.name}: sysctl {key}",
        expected=value,
        found="another value after `sysctl --system`",
        cure="see `sysctl --system` on the host: the kernel refuses the value or a later file overrides it",
    )
    return StringCommand("if", "[", found, "!=", QuoteString(value), "];", "then", refusal, ";", "fi")
