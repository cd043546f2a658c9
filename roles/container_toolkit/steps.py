"""Short steps of the role, each one operation or two; their order is in deploy.py."""

from __future__ import annotations

from typing import Any

from gpufleet.containers.gpu_devices import DIRECTORIES, KIND, SPECIFICATION
from gpufleet.operations import (
    components,
    containerd,
    files,
    gpu_daemons,
    gpu_devices,
    nvidia_runtime,
    unit_files,
    units,
    vendor_repository,
)
from gpufleet.stack.container_toolkit_choice import PACKAGES, refreshes
from gpufleet.stack.repositories import TOOLKIT as REPOSITORY
from gpufleet.stack.resolution import Resolution
from roles.container_toolkit.options import ContainerToolkit

CONFIGURATION = "etc/nvidia-container-runtime/config.toml"
DROP_IN = "etc/containerd/conf.d/99-nvidia.toml"
UNIT = "gpufleet-nvidia-devices.service"
UNIT_FILE = f"etc/systemd/system/{UNIT}"
RULE = "etc/udev/rules.d/71-gpufleet-nvidia-devices.rules"
PROGRAM = "/usr/bin/nvidia-ctk"
#: It makes way for the links that `nvidia-ctk` makes, and makes those that it knows nothing of.
LINKS = "usr/local/lib/gpufleet/nvidia-device-links.sh"
#: The vendor's own units: one writes the specification, the other watches for other drivers and toolkits.
REFRESH, WATCH = "nvidia-cdi-refresh.service", "nvidia-cdi-refresh.path"


def version(chosen: Resolution) -> str:
    """Return the toolkit's release; empty where it is not wanted."""
    return next((package.version for package in chosen.of("toolkit")), "")


def configuration_context(options: ContainerToolkit) -> dict[str, Any]:
    """Return what the runtime's configuration is rendered with; checks render the same."""
    return {"options": options, "kind": KIND, "directories": list(DIRECTORIES)}


def unit_context(chosen: Resolution) -> dict[str, Any]:
    """Return what the unit is rendered with; checks render the same."""
    beside = REFRESH if refreshes(version(chosen)) else ""
    return {"program": f"/{LINKS}", "specification": SPECIFICATION, "beside": beside}


def install(options: ContainerToolkit, chosen: Resolution) -> None:
    """Install all packages at one version, held."""
    wanted = chosen.of("toolkit")
    components.install(chosen, wanted, "the container toolkit", options.install_timeout)


def configure(options: ContainerToolkit) -> None:
    """Say how GPUs are given; every container that starts reads it anew."""
    files.rendered(path=CONFIGURATION, name="Configure NVIDIA's runtime", **configuration_context(options))


def register(options: ContainerToolkit) -> None:
    """Declare the runtime to containerd, which reads the file first, and is restarted where it is another."""
    nvidia_runtime.declared(
        path=f"/{DROP_IN}", default=options.default_runtime, name="Declare NVIDIA's runtime to containerd"
    )
    containerd.running(name="Run containerd with it")


def describe_devices(chosen: Resolution) -> None:
    """Write links and CDI specification before containerd starts, whenever the driver is loaded, where they differ."""
    files.rendered(path=LINKS, name="Write the program that keeps links to the devices right")
    files.rendered(path=UNIT_FILE, name="Write the unit that describes the devices", **unit_context(chosen))
    files.rendered(path=RULE, unit=UNIT, name="Describe the devices whenever the driver is loaded")
    read = [PROGRAM, f"/{LINKS}", f"/{UNIT_FILE}"]
    gpu_daemons.running(unit=UNIT, files=read, name="Describe the devices now and at boot")
    if refreshes(version(chosen)):
        units.running(units=[WATCH], name="Have other drivers noticed by the toolkit's own unit")
    gpu_devices.described(unit=UNIT, name="Describe the devices that are there")


def remove() -> None:
    """Remove the toolkit and what was written for it, once no container runs by its runtime; others go on."""
    nvidia_runtime.removed(path=f"/{DROP_IN}", name="Take NVIDIA's runtime from containerd")
    files.absent(path=RULE, name="Describe no devices to containers")
    gpu_daemons.stopped(unit=UNIT, name="Describe them at no boot")
    unit_files.forgotten(unit=UNIT, name="Remove the unit that describes them")
    files.absent(path=LINKS, name="Remove its program")
    components.removed(patterns=list(PACKAGES), name="Remove the container toolkit")
    vendor_repository.forgotten(repository=REPOSITORY, name="Forget its repository")
    files.absent(path=CONFIGURATION, name="Remove the runtime's configuration")
    files.unsaved(path=CONFIGURATION, name="Forget the configuration that rpm saved")
    files.absent(path=SPECIFICATION, name="Remove the specification of the devices")
