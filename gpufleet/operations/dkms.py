"""Kernel modules built on the host by DKMS: built for the running kernel and checked, or removed without a trace."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from pyinfra.api.command import QuoteString, StringCommand
from pyinfra.api.operation import operation
from pyinfra.context import host

from gpufleet.facts.apt import AvailableVersions, InstalledVersions
from gpufleet.facts.dkms import DkmsModules
from gpufleet.operations import apt, failure

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

    **Example:**

    .. code:: python

        dkms.headers(name="Install the headers of the running kernel", kernel="6.1.0-50-amd64")
    """
    package = f"linux-headers-{kernel}"
    wanted = [package, "dkms"]
    installed = host.get_fact(InstalledVersions, packages=wanted)
    missing = [name for name in wanted if name not in installed]
    # Want them and have them?
    if not missing:
        host.noop(f"headers of kernel {kernel} and dkms are installed")
        return
    if package in missing and host.state.is_executing and not host.get_fact(AvailableVersions, package=package):
        yield failure(
            host.name,
            expected=f"package {package} in apt",
            found="none",
            cure="install a kernel that has headers in apt and reboot, or add a snapshot of the archive that has these",
        )
        return
    yield from apt.exact._inner(packages=missing, timeout=timeout)


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
