"""Kernel modules: loading them, and unloading them in order."""

from __future__ import annotations

import shlex
from collections.abc import Generator, Sequence

from pyinfra.api.command import QuoteString, StringCommand
from pyinfra.api.operation import operation
from pyinfra.context import host

from gpufleet.facts.kernel import LoadedModules, holders_command, module_name

Commands = Generator[StringCommand, None, None]


@operation()
def modules_loaded(modules: Sequence[str]) -> Commands:
    """
    Load kernel modules that are not loaded.

    + modules: names, in the order to load them

    **Example:**

    .. code:: python

        kernel.modules_loaded(name="Load the NVIDIA modules", modules=["nvidia", "nvidia_uvm"])
    """
    loaded = host.get_fact(LoadedModules)
    missing = [module for module in modules if module_name(module) not in loaded]
    # Want them all and have them?
    if not missing:
        host.noop(f"modules loaded: {', '.join(modules)}")
    for module in missing:
        yield StringCommand("modprobe", QuoteString(module))


@operation()
def modules_unloaded(modules: Sequence[str]) -> Commands:
    """
    Unload kernel modules, those that are loaded; a refusal names who uses the module.

    + modules: names, in the order to unload them: users before what they use

    **Example:**

    .. code:: python

        kernel.modules_unloaded(name="Unload the NVIDIA modules", modules=["nvidia_uvm", "nvidia_drm", "nvidia"])
    """
    loaded = host.get_fact(LoadedModules)
    unwanted = [module for module in map(module_name, modules) if module in loaded]
    # Want none of them and have none?
    if not unwanted:
        host.noop(f"modules not loaded: {', '.join(modules)}")
    for module in unwanted:
        yield StringCommand("rmmod", QuoteString(module), "||", _refusal(module))


def _refusal(module: str) -> StringCommand:
    """Return the command that says, at the moment of the refusal, who uses the module, and fails."""
    expected = shlex.quote(f"{host.name}: expected kernel module {module} to unload, found it in use by ")
    cure = shlex.quote("; end these first, or reboot")
    in_one_line = "sed ':a;N;$!ba;s/\\n/, /g' | grep . || echo 'a user that shows no process'"
    holders = f'"$({{ {holders_command([module])}; }} | {in_one_line})"'
    return StringCommand(f"{{ printf '%s%s%s\\n' {expected} {holders} {cure} >&2; false; }}")
