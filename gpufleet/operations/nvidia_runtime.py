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
from gpufleet.containers.schema import ROOT_FILE, SCHEMAS, runtime_plugin
from gpufleet.facts.containerd import UNIT, ConfigTrial
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
    Take the runtime from containerd, which is restarted where it runs; containers go on meanwhile.

    + path: the drop-in that declares it

    **Example:**

    .. code:: python

        nvidia_runtime.removed(name="Take NVIDIA's runtime away", path="/etc/containerd/conf.d/99-nvidia.toml")
    """
    # Want none and have none?
    if not host.get_fact(File, path=path):
        host.noop(f"no {path}")
        return
    yield StringCommand("rm", "-f", QuoteString(path))
    if not host.get_fact(GpuDaemonState, unit=UNIT).state.is_running:
        return
    wrong = objection(host.get_fact(ConfigTrial), host.name)
    if wrong:
        yield failure(wrong.where, expected=wrong.expected, found=wrong.found, cure=wrong.cure)
    else:
        yield StringCommand("systemctl", "restart", UNIT)


def _of_runc(text: str) -> Mapping[str, Any]:
    """Return runc's options of a root file, none of one that cannot be read, which the declaration refuses."""
    try:
        root = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return {}
    schema = root.get("version")
    plugin = runtime_plugin(schema) if schema in SCHEMAS else ""
    return found(root, ("plugins", plugin, "containerd", "runtimes", "runc", "options")) or {}
