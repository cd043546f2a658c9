"""Replacing the loaded NVIDIA driver by the one on disk, or saying who is in the way."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Generator, Sequence
from typing import Any

from pyinfra.api.command import StringCommand
from pyinfra.api.operation import operation
from pyinfra.context import host

from gpufleet.facts.boot import RebootRequired
from gpufleet.facts.kernel import LoadedModules, ModuleHolders
from gpufleet.facts.nouveau import Nouveau, NouveauState
from gpufleet.facts.nvidia import DAEMONS, Daemons, Driver, DriverState
from gpufleet.operations import boot, failure
from gpufleet.operations.nvidia import REBOOT_KEY
from gpufleet.stack.driver import WantedDriver, swap_reasons

Commands = Generator[Any, None, None]

#: Modules of the driver and those built on it, in the order in which they unload.
MODULES = (
    "gdrdrv",
    "nvidia_fs",
    "nvidia_vgpu_vfio",
    "nvidia_uvm",
    "nvidia_peermem",
    "nvidia_drm",
    "nvidia_modeset",
    "nvidia",
)

OPTIONS_CHANGED = "module options were changed"
NO_PROCESS = "something that shows no process"
NOUVEAU = "module nouveau, which is blacklisted and stays away after a reboot"


@operation()
def swapped(wanted: WantedDriver, options_changed: Callable[[], bool] = lambda: False) -> Commands:
    """
    Have the wanted driver loaded: unload what is loaded and load what is on disk, where nothing uses it.

    Where something does, nothing is stopped: a reason to reboot is left, which says who holds the module. Where nouveau
    has the GPUs and would have them after a reboot too, the host fails.

    + wanted: the driver the host should run
    + options_changed: whether this run changed the module options, asked when the operation executes

    **Example:**

    .. code:: python

        driver_swap.swapped(name="Swap the kernel module", wanted=wanted, options_changed=drop_in.did_change)
    """
    waits = host.get_fact(RebootRequired).get(REBOOT_KEY, "")
    reasons = _reasons(wanted, options_changed, waits)
    # Want it and have it?
    if not reasons and not waits:
        host.noop(f"driver {wanted.version} is loaded")
        return
    if reasons and host.state.is_executing and (found := _driver(wanted.module).on_disk) != wanted.version:
        yield _nothing_to_load(wanted, found)
        return
    nouveau = host.get_fact(NouveauState) if reasons else Nouveau()
    if host.state.is_executing and nouveau.devices and not nouveau.is_blacklisted:
        yield _taken_by_nouveau(nouveau)
        return
    in_the_way = [*holders(), *[NOUVEAU] * bool(nouveau.devices)] if reasons else []
    # Want it, and have tried in vain since the host started?
    if reasons and not in_the_way and waits.endswith(NO_PROCESS):
        host.noop(f"reboot required: {waits}")
        return
    if reasons and not in_the_way:
        yield StringCommand(swap_script(active_daemons(), loaded_modules(), load=True))
        reasons, in_the_way = swap_reasons(_driver(wanted.module), wanted), holders()
    yield from _mark(reasons, in_the_way)


@operation()
def unloaded(module: str = "nvidia") -> Commands:
    """
    Have no driver loaded, or leave a reason to reboot that says who holds it.

    + module: name of the module file, where it is not `nvidia`

    **Example:**

    .. code:: python

        driver_swap.unloaded(name="Unload the kernel module")
    """
    # Want none and have none?
    if not _driver(module).loaded:
        host.noop("no driver is loaded")
        if REBOOT_KEY in host.get_fact(RebootRequired):
            yield from boot.clear_reboot._inner(key=REBOOT_KEY)
        return
    in_the_way = holders()
    if not in_the_way:
        yield StringCommand(swap_script(active_daemons(), loaded_modules(), load=False))
        in_the_way = holders()
    still = _driver(module).loaded
    yield from _mark([f"module nvidia {still} is loaded, none is wanted"] if still else [], in_the_way)


def swap_script(daemons: Sequence[str], modules: Sequence[str], load: bool) -> str:
    """Return the shell script of a swap; it starts the daemons again however the swap went, and not after a removal:
    they would load the module.

    A module counts more references than the modules built on it when something else uses it: then nothing is unloaded.
    """
    again = [*reversed([module for module in modules if module not in ("nvidia", "nvidia_uvm")])]
    stop = f"systemctl stop {shlex.join(daemons)}; " if daemons else ""
    start = f'systemctl start {shlex.join(reversed(daemons))} || [ -n "$busy" ] || failed=1; ' if daemons else ""
    names = shlex.join(modules)
    unload = (
        f"for m in {names}; do "
        "uses=$(cat /sys/module/$m/refcnt 2>/dev/null || echo 0); "
        "above=$(ls /sys/module/$m/holders 2>/dev/null | wc -l); "
        '[ "$uses" -le "$above" ] || busy=$m; done; '
        f'for m in {names}; do [ -n "$busy" ] || rmmod $m || busy=$m; done; '
    )
    loading = f'for m in nvidia nvidia_uvm {shlex.join(again)}; do modprobe $m || [ -n "$busy" ] || failed=1; done; '
    return f"busy=; failed=0; {stop}{unload if modules else ''}{loading + start if load else ''}[ $failed = 0 ]"


def holders() -> list[str]:
    """Name who uses the driver, apart from its own daemons and modules, which a swap stops and unloads."""
    own = {daemon.pid for daemon in _daemons().values()}
    return [
        str(holder) for holder in host.get_fact(ModuleHolders, modules=list(MODULES)) if holder.pid not in own - {0}
    ]


def active_daemons() -> list[str]:
    """Name the driver's running daemons, in the order to stop them."""
    daemons = _daemons()
    return [name for name in DAEMONS if name in daemons and daemons[name].active]


def loaded_modules() -> list[str]:
    """Name the driver's loaded modules, in the order to unload them."""
    loaded = host.get_fact(LoadedModules)
    return [name for name in MODULES if name in loaded]


def _reasons(wanted: WantedDriver, options_changed: Callable[[], bool], waits: str) -> list[str]:
    """Add to what can be seen what cannot: an option that was withdrawn stays live until the module is loaded again."""
    reasons = swap_reasons(_driver(wanted.module), wanted)
    withdrawn = OPTIONS_CHANGED in waits or (host.state.is_executing and options_changed())
    return reasons or [OPTIONS_CHANGED] * withdrawn


def _nothing_to_load(wanted: WantedDriver, found: str) -> StringCommand:
    """Refuse to unload a driver when the wanted one could not take its place."""
    return failure(
        f"{host.name}: module file {wanted.module}",
        expected=f"version {wanted.version} for the running kernel",
        found=found or "none",
        cure="compare `dkms status` with /lib/modules; nothing was unloaded",
    )


def _taken_by_nouveau(nouveau: Nouveau) -> StringCommand:
    """Say what the kernel does not: it refuses NVIDIA's module with a bare `No such device`."""
    return failure(
        f"{host.name}: GPUs {', '.join(nouveau.devices)}",
        expected="no driver on them but nvidia",
        found="module nouveau, which nothing blacklists",
        cure="deploy the role base, which blacklists it, then reboot",
    )


def _mark(reasons: Sequence[str], in_the_way: Sequence[str]) -> Commands:
    """Record or withdraw the reason to reboot, by what is true after the attempt."""
    if not reasons:
        yield from boot.clear_reboot._inner(key=REBOOT_KEY)
        return
    text = f"{', '.join(reasons)}; held by {', '.join(in_the_way) or NO_PROCESS}"
    yield from boot.require_reboot._inner(key=REBOOT_KEY, text=text)


def _driver(module: str) -> Driver:
    return host.get_fact(DriverState, module=module)


def _daemons() -> Any:
    return host.get_fact(Daemons)
