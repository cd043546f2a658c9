"""Headers of one exact kernel, as each family packs them, and dkms, which builds with them."""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Any

from pyinfra.context import host

from gpufleet.facts import rpm
from gpufleet.facts.apt import AvailableVersions, InstalledVersions
from gpufleet.facts.dnf import AvailableVersions as OfferedVersions
from gpufleet.operations import apt, apt_get, dnf, dnf_command, failure

Commands = Generator[Any, None, None]

#: `5.14.0-570.12.1.el9_6.x86_64`, on some kernels with a variant: `...aarch64+64k`.
_EL_RELEASE = re.compile(r"(?P<version>.+)\.(x86_64|aarch64)(\+(?P<variant>\w+))?")


def el_package(kernel: str) -> tuple[str, str]:
    """Return the package with the headers of an EL kernel, and its version."""
    match = _EL_RELEASE.fullmatch(kernel)
    if not match:
        return "kernel-devel", kernel
    return f"kernel-{match['variant']}-devel" if match["variant"] else "kernel-devel", match["version"]


def on_debian(kernel: str, timeout: int) -> Commands:
    """Install dkms and `linux-headers-<release>` from apt."""
    package = f"linux-headers-{kernel}"
    wanted = [package, "dkms"]
    installed = host.get_fact(InstalledVersions, packages=wanted)
    missing = [name for name in wanted if name not in installed]
    # Want them and have them?
    if not missing:
        host.noop(f"headers of kernel {kernel} and dkms are installed")
        return
    if package in missing and not host.get_fact(AvailableVersions, packages=[package]):
        # A fresh image has no lists, and old ones do not know the newest kernel.
        yield apt_get.update(timeout=apt.UPDATE_TIMEOUT, lock_timeout=apt.LOCK_TIMEOUT)
        if not host.get_fact(AvailableVersions, packages=[package]):
            yield _not_in_apt(package)
            return
    yield from apt.exact._inner(packages=missing, timeout=timeout)


def _not_in_apt(package: str) -> Any:
    return failure(
        host.name,
        expected=f"package {package} in apt",
        found="none",
        cure="install a kernel that has headers in apt and reboot, or add a snapshot of the archive that has these",
    )


def on_el(kernel: str, timeout: int) -> Commands:
    """Install dkms, the headers of the C library, and the package that provides `kernel-devel-uname-r`."""
    wanted = ["kernel-headers", "dkms"]
    installed = host.get_fact(rpm.InstalledVersions, packages=wanted)
    missing = [name for name in wanted if name not in installed]
    is_ready = kernel in host.get_fact(rpm.KernelVersions, package="kernel-devel")
    # Want them and have them?
    if is_ready and not missing:
        host.noop(f"headers of kernel {kernel} and dkms are installed")
        return
    if not is_ready:
        yield dnf_command.makecache(dnf.REFRESH_TIMEOUT, dnf.LOCK_TIMEOUT, cache_time=3600)
        package, version = el_package(kernel)
        offered = host.get_fact(OfferedVersions, packages=[package]).get(package, [])
        if version not in offered:
            yield _gone(kernel, package, offered)
            return
        yield dnf_command.install([f"kernel-devel-uname-r = {kernel}"], timeout, dnf.LOCK_TIMEOUT)
    if missing:
        yield from dnf.exact._inner(packages=missing, timeout=timeout)


def _gone(kernel: str, package: str, offered: list[str]) -> Any:
    """Mirrors keep the packages of the newest kernels alone."""
    return failure(
        host.name,
        expected=f"package {package} for kernel {kernel} in a dnf repository",
        found=f"only {' and '.join(offered)}" if offered else "none",
        cure="install one of these kernels and reboot, or add the vault repository of this kernel's minor release",
    )
