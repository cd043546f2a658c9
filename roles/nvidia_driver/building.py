"""Building the driver's modules for other hosts, on a host whose own driver stays as it is."""

from __future__ import annotations

from pyinfra.api.deploy import deploy
from pyinfra.context import host

from gpufleet.operations import nvidia, packages, precompiled
from gpufleet.precompiled import builds, incoming
from gpufleet.resolved import machine, resolution
from gpufleet.wishes import wishes
from roles.nvidia_driver.choice import choose
from roles.nvidia_driver.deploy import refused
from roles.nvidia_driver.module import prepare_build
from roles.nvidia_driver.options import NvidiaDriver
from roles.nvidia_driver.steps import add_repository

#: What packing needs beside the compiler.
_PACKING = {"deb": [], "rpm": ["rpm-build", "cpio", "dnf-plugins-core"]}


@deploy("Kernel modules")
def kernel_modules() -> None:
    """Build and pack the modules of this host's driver and kernel, and fetch the package."""
    options, found, resolved = NvidiaDriver.of(host), machine(host), resolution(host)
    wish, choice = wishes(host), choose(options, resolved, found)
    key = builds.key_for(wish, found, resolved.driver) if hasattr(wish, "modules") else None
    source = builds.sources(resolved.driver) if resolved.driver else None
    if refused(options) or choice is None:
        return
    if key is None or source is None:
        nvidia.left_alone(name="Build no modules", why="no driver with `modules: precompiled` and sources for DKMS")
        return
    packing = "rpm" if found.system.family == "el" else "deb"
    add_repository(choice)
    prepare_build(options, choice)
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
