"""Kernel modules: loading them."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from pyinfra.api.command import QuoteString, StringCommand
from pyinfra.api.operation import operation
from pyinfra.context import host

from gpufleet.facts.kernel import LoadedModules, module_name

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
