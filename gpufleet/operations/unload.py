"""Getting rid of a module: unloaded now where the kernel lets go of it, else at a reboot."""

from __future__ import annotations

from collections.abc import Generator

from pyinfra.api.command import QuoteString, StringCommand
from pyinfra.api.operation import operation
from pyinfra.context import host

from gpufleet.facts.boot import REBOOT_REQUIRED_DIR, RebootRequired
from gpufleet.facts.kernel import LoadedModules

Commands = Generator[StringCommand, None, None]


@operation()
def now_or_at_reboot(module: str, key: str, text: str) -> Commands:
    """
    Unload a module; where the kernel refuses, as it does with a console's driver, record a reason to reboot.

    + module: name as in /sys/module
    + key: name of the reason
    + text: the reason, in one sentence

    **Example:**

    .. code:: python

        unload.now_or_at_reboot(module="nouveau", key="nouveau", text="nouveau is in use", name="Unload nouveau")
    """
    is_loaded, is_recorded = module in host.get_fact(LoadedModules), key in host.get_fact(RebootRequired)
    path = QuoteString(f"{REBOOT_REQUIRED_DIR}/{key}")
    # Want it gone, and it is gone or has to wait for the reboot?
    if is_loaded == is_recorded:
        host.noop(f"module {module} {'waits for a reboot' if is_loaded else 'is not loaded'}")
    elif is_recorded:
        yield StringCommand("rm", "-f", path)
    else:
        record = StringCommand("printf", "'%s\\n'", QuoteString(text), ">", path)
        directory = StringCommand("install", "-d", "-m", "755", QuoteString(REBOOT_REQUIRED_DIR))
        yield StringCommand("rmmod", QuoteString(module), "||", "{", directory, "&&", record, ";", "}")
