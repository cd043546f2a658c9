"""Kernel modules built on the host by DKMS: built for the running kernel and checked, or removed without a trace."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from pyinfra.api.command import QuoteString, StringCommand
from pyinfra.api.operation import operation
from pyinfra.context import host

from gpufleet.facts.dkms import DkmsModules
from gpufleet.facts.family import EL, OsFamily
from gpufleet.operations import apt, dnf_locks, kernel_headers

Commands = Generator[Any, None, None]

#: Lines of the build's log to show when it failed.
LOG_LINES = 30
#: What began it: make's and the compiler's first errors, shown last because reports keep the last lines.
ERRORS = r": (fatal )?error:|[*]{3} "


@operation()
def headers(kernel: str, timeout: int = 1800) -> Commands:
    """
    Install dkms and the headers of exactly this kernel.

    + kernel: release, as `uname -r` prints it
    + timeout: seconds after which the installation is stopped on the host

    Debian and Ubuntu have them as `linux-headers-<release>`; EL as `kernel-devel`, by the capability that names the
    release, and dkms in EPEL.

    **Example:**

    .. code:: python

        dkms.headers(name="Install the headers of the running kernel", kernel="6.1.0-50-amd64")
    """
    is_el = host.get_fact(OsFamily) == EL
    yield from (kernel_headers.on_el if is_el else kernel_headers.on_debian)(kernel, timeout)


@operation()
def headers_held(kernel: str) -> Commands:
    """
    Keep the headers of a kernel beside the kernel they are for.

    + kernel: release, as `uname -r` prints it

    **Example:**

    .. code:: python

        dkms.headers_held(name="Hold the headers of the running kernel", kernel="6.1.0-50-amd64")
    """
    if host.get_fact(OsFamily) == EL:
        package, version = kernel_headers.el_package(kernel)
        yield from dnf_locks.held._inner(packages=[f"{package}={version}"])
    else:
        yield from apt.hold._inner(packages=[f"linux-headers-{kernel}"])


@operation()
def built(module: str, version: str, kernel: str, timeout: int = 2400) -> Commands:
    """
    Have a module built and installed for a kernel; a failed build shows the end of its log.

    Packages build their modules themselves, but end well when headers were missing or a build failed.

    + module: name by which DKMS knows it
    + version: version of the module
    + kernel: release, as `uname -r` prints it
    + timeout: seconds after which the build is stopped on the host

    **Example:**

    .. code:: python

        dkms.built(name="Build the driver", module="nvidia-current", version="535.261.03", kernel="6.1.0-50-amd64")
    """
    states = {(row.version, row.kernel): row.state for row in host.get_fact(DkmsModules, module=module)}
    # Want it and have it?
    if states.get((version, kernel)) == "installed":
        host.noop(f"dkms module {module} {version} is installed for kernel {kernel}")
        return
    log = f"/var/lib/dkms/{module}/{version}/build/make.log"
    build = ["timeout", str(timeout), "dkms", "install", "--force", "-m", module, "-v", version, "-k", kernel]
    show = f"{{ tail -n {LOG_LINES} {log} >&2; echo '{log}:' >&2; grep -m 3 -E '{ERRORS}' {log} >&2; false; }}"
    yield StringCommand(*map(QuoteString, build), "||", show)


@operation()
def removed(module: str) -> Commands:
    """
    Remove every version of a module from DKMS, from all kernels.

    Packages do this themselves; what is left is a build of a version whose package went away by force.

    + module: name by which DKMS knows it

    **Example:**

    .. code:: python

        dkms.removed(name="Forget builds of the driver", module="nvidia-current")
    """
    versions = sorted({row.version for row in host.get_fact(DkmsModules, module=module)})
    # Want none and have none?
    if not versions:
        host.noop(f"dkms knows no module {module}")
    for version in versions:
        yield StringCommand("dkms", "remove", "-m", QuoteString(module), "-v", QuoteString(version), "--all")
