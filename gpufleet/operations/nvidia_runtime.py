"""NVIDIA's runtime at containerd: runc with GPUs."""

from __future__ import annotations

import tomllib
from collections.abc import Generator, Mapping
from typing import Any, Final

from pyinfra.api.command import QuoteString, StringCommand
from pyinfra.api.operation import operation
from pyinfra.context import host
from pyinfra.facts.files import File

from gpufleet.containers.judging import objection
from gpufleet.containers.places import found
from gpufleet.containers.schema import DROP_INS, ROOT_FILE, SCHEMAS, runtime_plugin
from gpufleet.errors import HostError
from gpufleet.facts.containerd import UNIT, ConfigTrial
from gpufleet.facts.gpu_containers import RuntimeTasks
from gpufleet.facts.gpu_daemons import GpuDaemonState
from gpufleet.operations import containerd, failure

Commands = Generator[Any, None, None]

#: What pods call it by their runtime class, and the program that stands before runc.
NAME: Final = "nvidia"
PROGRAM: Final = "/usr/bin/nvidia-container-runtime"


@operation()
def declared(path: str, default: bool = False) -> Commands:
    """
    Declare the runtime to containerd, with the options that runc has in the root file: its control groups above all.

    + path: a file below `/etc/containerd/conf.d`
    + default: whether pods get it that name none

    **Example:**

    .. code:: python

        nvidia_runtime.declared(name="Declare NVIDIA's runtime", path="/etc/containerd/conf.d/99-nvidia.toml")
    """
    options = {**_of_runc(host.get_fact(ConfigTrial).files.get(ROOT_FILE, "")), "BinaryName": PROGRAM}
    rows = {NAME: {"runtime_type": "io.containerd.runc.v2", "options": options}}
    yield from containerd.runtimes._inner(path=path, declared=rows, default=NAME if default else None)


@operation()
def removed(path: str) -> Commands:
    """
    Take the runtime from containerd, which is restarted where it runs; containers of other runtimes go on meanwhile.

    Refused before anything changes while containers run by it, whose shims call its program to their end, and where
    containerd would not start without the drop-in. A containerd that started before a name came to or went from
    conf.d, as after a run that was cut off here, still has the runtime: it is restarted too.

    + path: the drop-in that declares it

    **Example:**

    .. code:: python

        nvidia_runtime.removed(name="Take NVIDIA's runtime away", path="/etc/containerd/conf.d/99-nvidia.toml")
    """
    is_there = bool(host.get_fact(File, path=path))
    daemon = host.get_fact(GpuDaemonState, unit=UNIT, files=[DROP_INS])
    is_restarted = daemon.state.is_running and (is_there or daemon.is_stale)
    wrong = _in_use() or (objection(host.get_fact(ConfigTrial, without=[path]), host.name) if is_restarted else None)
    if wrong:
        yield failure(wrong.where, expected=wrong.expected, found=wrong.found, cure=wrong.cure)
        return
    # Want none and have none, in containerd's memory as well?
    if not (is_there or is_restarted):
        host.noop(f"no {path}")
    if is_there:
        yield StringCommand("rm", "-f", QuoteString(path))
    if is_restarted:
        yield StringCommand("systemctl", "restart", UNIT)


def _in_use() -> HostError | None:
    """Return what speaks against the removal of a program that containers still need."""
    tasks = host.get_fact(RuntimeTasks, program=PROGRAM.rpartition("/")[2])
    if not tasks:
        return None
    return HostError(
        f"{host.name}: {PROGRAM}",
        expected="no container that runs by it",
        found=", ".join(tasks),
        cure="end them, as by draining the node and taking away the daemon sets of the runtime class nvidia, and "
        "deploy again: nothing could stop or delete them without it",
    )


def _of_runc(text: str) -> Mapping[str, Any]:
    """Return runc's options of a root file, none of one that cannot be read, which the declaration refuses."""
    try:
        root = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return {}
    schema = root.get("version")
    plugin = runtime_plugin(schema) if schema in SCHEMAS else ""
    return found(root, ("plugins", plugin, "containerd", "runtimes", "runc", "options")) or {}
