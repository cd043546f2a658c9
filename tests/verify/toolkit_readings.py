"""What the checks of the role `container_toolkit` ask a host, and how they read its answers."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from typing import Any

from gpufleet.containers.places import found
from gpufleet.containers.schema import SCHEMAS, runtime_plugin
from gpufleet.facts.boot import RebootRequired
from gpufleet.facts.containerd import UNIT as CONTAINERD
from gpufleet.facts.containerd import ConfigTrial
from gpufleet.facts.gpu_containers import GpuContainers
from gpufleet.facts.gpu_daemons import GpuDaemonState
from gpufleet.facts.gpu_devices import DeviceLinks, GpuDevices, GpuSpecifications
from roles.container_toolkit.steps import CONFIGURATION, DROP_IN, LINKS, RULE, UNIT, UNIT_FILE, WATCH
from tests.verify.companion_readings import unit_probe
from tests.verify.cuda_readings import SHARED

#: Programs that say which release they are, and the words that ask them.
PROGRAMS = {
    "nvidia-ctk": "--version",
    "nvidia-cdi-hook": "--version",
    "nvidia-container-runtime": "--version",
    "nvidia-container-cli": "--version",
}
#: Seconds that the toolkit's own look at the driver may take.
TIMEOUT = 15
_VERSION = re.compile(r"\b[vV]ersion:? (?P<version>\d+(\.\d+)+)")
_ASK = "; ".join(f'echo "== {name}"; timeout {TIMEOUT} {name} {word} 2>&1' for name, word in PROGRAMS.items())

PROBE = {
    **SHARED,
    **unit_probe(UNIT),
    **unit_probe(WATCH),
    "reboot": RebootRequired().command(),
    "programs": f"{_ASK}; true",
    "configuration": f"cat /{CONFIGURATION} 2>/dev/null; true",
    "unit file": f"cat /{UNIT_FILE} 2>/dev/null; true",
    "links program": f"cat /{LINKS} 2>/dev/null; true",
    "rule": f"cat /{RULE} 2>/dev/null; true",
    "drop-in": f"cat /{DROP_IN} 2>/dev/null; true",
    "trial": ConfigTrial().command(),
    "containerd": GpuDaemonState().command(unit=CONTAINERD, files=[f"/{DROP_IN}"]),
    "devices": GpuDevices().command(),
    "specifications": GpuSpecifications().command(),
    "links": DeviceLinks().command(),
    "containers": GpuContainers().command(),
    "driver": f"timeout {TIMEOUT} nvidia-container-cli info 2>&1; true",
}


def releases(lines: Sequence[str]) -> dict[str, str]:
    """Return the release that each program says it is, its last words where it says none."""
    said: dict[str, str] = {}
    name = ""
    for line in lines:
        if line.startswith("== "):
            name = line.removeprefix("== ")
            said[name] = "no answer"
        elif (match := _VERSION.search(line)) and not re.fullmatch(r"[\d.]+", said[name]):
            said[name] = match["version"]
        elif line.strip() and not re.fullmatch(r"[\d.]+", said[name]):
            said[name] = line.strip()
    return said


def runtime(dump: str) -> tuple[dict[str, Any], str]:
    """Return the runtime `nvidia` and the default one, of what containerd says is in force."""
    try:
        tree = tomllib.loads(dump)
    except tomllib.TOMLDecodeError:
        tree = {}
    schema = tree.get("version")
    path = ("plugins", runtime_plugin(schema) if schema in SCHEMAS else "", "containerd")
    default = found(tree, (*path, "default_runtime_name")) or "none"
    return found(tree, (*path, "runtimes", "nvidia")) or {}, default


def driver_of(text: str) -> str:
    """Return the driver that `nvidia-container-cli info` sees, or its last words."""
    match = re.search(r"^NVRM version: +(?P<version>\S+)", text, re.MULTILINE)
    lines = [line for line in text.splitlines() if line.strip()]
    return match["version"] if match else (lines or ["no answer"])[-1]
