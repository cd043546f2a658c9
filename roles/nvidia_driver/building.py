"""Building the driver's modules for other hosts, on a host whose own driver stays as it is."""

from __future__ import annotations

from pyinfra.api.deploy import deploy
from pyinfra.context import host

from gpufleet.operations import nvidia, packages, precompiled
from gpufleet.precompiled import builds, incoming
from gpufleet.precompiled.key import ModuleKey
from gpufleet.stack.host.resolved import machine, resolution
from gpufleet.stack.resolution import Package
from roles.nvidia_driver import artifact
from roles.nvidia_driver.choice import Choice, choose, refusals
from roles.nvidia_driver.module import prepare_build
from roles.nvidia_driver.options import NvidiaDriver
from roles.nvidia_driver.steps import add_repository

#: What packing needs beside the compiler.
_PACKING: dict[str, list[str]] = {"deb": [], "rpm": ["rpm-build", "cpio", "dnf-plugins-core"]}


@deploy("Kernel modules")
def kernel_modules() -> None:
    """Build and pack the modules of this host's driver and kernel, and fetch the package."""
    options, found, resolved = NvidiaDriver.of(host), machine(host), resolution(host)
    choice = choose(options, resolved, found)
    if errors := refusals(host.name, options, resolved):
        nvidia.refused(name="Refuse a driver that cannot run here", errors=errors)
        return
    key = artifact.wanted(options, resolved.driver, found) if resolved.driver else None
    source = builds.sources(resolved.driver) if resolved.driver else None
    if key is None or choice is None or source is None:
        nvidia.left_alone(name="Build no modules", why="no driver with `modules: precompiled` and sources for DKMS")
        return
    add_repository(choice)
    prepare_build(options, choice)
    build(options, choice, key, source)


def build(options: NvidiaDriver, choice: Choice, key: ModuleKey, source: Package) -> None:
    """Build and pack, with what packing needs."""
    packing = "rpm" if choice.system.family == "el" else "deb"
    if tools := _PACKING[packing]:
        packages.exact(packages=tools, timeout=options.install_timeout, name="Install what packs the modules")
    precompiled.built(
        key=key,
        module=choice.driver.dkms_module,
        package=source.name,
        version=source.version,
        packing=packing,
        target=str(incoming.folder(host.name)),
        timeout=options.install_timeout,
        name=f"Build the modules of driver {key.driver} for kernel {key.kernel}",
    )
