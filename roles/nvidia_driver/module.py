"""Where the kernel module comes from: what it needs before the packages, and having it after them."""

from __future__ import annotations

from pyinfra.context import host

from gpufleet.facts.kernel import RunningKernel
from gpufleet.operations import dkms, nvidia, packages, precompiled, repositories, signing
from roles.nvidia_driver.choice import Choice
from roles.nvidia_driver.options import NvidiaDriver


def prepare_module(options: NvidiaDriver, choice: Choice) -> None:
    """Have ready what the module needs, before packages bring it: a build's package, or what compiles one here."""
    if choice.build:
        precompiled.staged(
            artifact=choice.build.artifact,
            repository=choice.build.repository,
            public_key=choice.build.public_key,
            name=f"Fetch the modules that {choice.build.artifact.built_on} built",
        )
        return
    if choice.missing_build:
        why = f"no build of {choice.missing_build} in the repository; `gpufleet modules build` makes one"
        nvidia.left_alone(name="Fall back to DKMS", why=why)
    prepare_build(options, choice)


def provide_module(options: NvidiaDriver, choice: Choice) -> None:
    """Have the module for the running kernel."""
    if choice.build:
        precompiled.unstaged(name="Remove the fetched package")
    else:
        build_module(options, choice)


def prove_key(options: NvidiaDriver) -> None:
    """Prove first of all that the firmware would load what the key signs; nobody but the host's owner can enroll it."""
    if pair := options.secure_boot.pair():
        packages.exact(packages=["mokutil"], name="Install mokutil, which knows the firmware's keys")
        signing.enrolled(pair=pair, name=f"Prove that the firmware knows the key {pair.signer}")


def prepare_build(options: NvidiaDriver, choice: Choice) -> None:
    """Install what a build for the running kernel needs, and keep the headers beside the kernel they are for."""
    if choice.system.family == "el":
        repositories.build_dependencies(arch=choice.system.arch, name="Switch on the repository of build dependencies")
        repositories.epel(name="Use EPEL, which has dkms")
    kernel = host.get_fact(RunningKernel)
    dkms.headers(
        kernel=kernel, timeout=options.install_timeout, name=f"Install dkms and the headers of kernel {kernel}"
    )
    dkms.headers_held(kernel=kernel, name=f"Hold the headers of kernel {kernel}")
    if pair := options.secure_boot.pair():
        at = signing.place(choice.system.release)
        signing.configured(pair=pair, at=at, name=f"Have DKMS sign modules with the key {pair.signer}")


def build_module(options: NvidiaDriver, choice: Choice) -> None:
    """Have the module built for the running kernel; the packages' own scripts hide failures."""
    kernel, driver = host.get_fact(RunningKernel), choice.driver
    dkms.built(
        module=driver.dkms_module,
        version=driver.version,
        kernel=kernel,
        timeout=options.install_timeout,
        name=f"Build the kernel module for kernel {kernel}",
    )
    if pair := options.secure_boot.pair():
        signing.signed(
            module=driver.module,
            dkms_module=driver.dkms_module,
            version=driver.version,
            kernel=kernel,
            signer=pair.signer,
            timeout=options.install_timeout,
            name=f"Prove that the key {pair.signer} signed the module",
        )
