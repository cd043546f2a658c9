"""NVIDIA's network stack: older ones removed by themselves, its modules built, and the driver's after it."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from pyinfra.api.command import QuoteString, StringCommand
from pyinfra.api.operation import operation
from pyinfra.context import host

from gpufleet.facts.dkms import DkmsModules
from gpufleet.facts.ofed import UNINSTALLER, Build, DkmsBuilds, HasUninstaller, ReplacedModules
from gpufleet.facts.packages import HeldPackages, InstalledVersions, LockedVersions
from gpufleet.operations import boot, components, dkms, failure, packages
from gpufleet.stack import driver_names

Commands = Generator[Any, None, None]

#: Every name under which DKMS knows the driver: NVIDIA's, Ubuntu's and Debian's.
DRIVERS = ("nvidia*",)
REBOOT_KEY = "rdma-stack"
#: Modules whose build tells that of the whole stack.
CORE = ("ib_core", "mlx5_core")


@operation()
def removed(patterns: Sequence[str], timeout: int = 1800) -> Commands:
    """
    Remove a network stack that must not lie beside another: by its own program first, then what is left of it.

    + patterns: names of its packages; `*` stands for any text
    + timeout: seconds after which its program is stopped on the host

    **Example:**

    .. code:: python

        ofed.removed(patterns=["mlnx-ofed-all*"], name="Remove MLNX_OFED")
    """
    installed: dict[str, str] = host.get_fact(InstalledVersions)
    # Want none of it and have none?
    if not driver_names.matching(installed, patterns):
        host.noop(f"none installed of {', '.join(patterns)}")
        return
    kept = dict.fromkeys([*host.get_fact(HeldPackages), *host.get_fact(LockedVersions)], "")
    if let_go := sorted(driver_names.matching(kept, patterns)):
        yield from packages.held._inner(packages=let_go, present=False)
    if host.get_fact(HasUninstaller):
        yield StringCommand("timeout", str(timeout), UNINSTALLER, "--force")
    yield from components.removed._inner(patterns=patterns)


@operation()
def built(modules: Sequence[str], kernel: str, timeout: int = 2400) -> Commands:
    """
    Have the stack's modules built for a kernel, in this order: its packages end well when a build failed.

    + modules: names by which DKMS knows them; the first is needed, others are built where their source is there
    + kernel: release, as `uname -r` prints it
    + timeout: seconds after which one build is stopped on the host

    **Example:**

    .. code:: python

        ofed.built(modules=["mlnx-ofed-kernel", "iser"], kernel="6.8.0-60-generic", name="Build OFED's modules")
    """
    for module in modules:
        versions = sorted({row.version for row in host.get_fact(DkmsModules, module=module)})
        if versions:
            yield from dkms.built._inner(module=module, version=versions[-1], kernel=kernel, timeout=timeout)
        elif module == modules[0]:
            yield failure(
                f"{host.name}: dkms status",
                expected=f"the source of {module}, which DOCA-OFED brings",
                found="none",
                cure="look at the log of the package manager, then run again",
            )


@operation()
def driver_rebuilt(stack: str, kernel: str, timeout: int = 2400) -> Commands:
    """
    Build the NVIDIA driver's modules again where they are older than the network stack's, and say that a reboot is due.

    nvidia_peermem takes the symbols of the ib_core that it was built against.

    + stack: name by which DKMS knows the network stack's core
    + kernel: release, as `uname -r` prints it
    + timeout: seconds after which the build is stopped on the host

    **Example:**

    .. code:: python

        ofed.driver_rebuilt(stack="mlnx-ofed-kernel", kernel="6.8.0-60-generic", name="Build the driver after OFED")
    """
    newest = max((build.built for build in host.get_fact(DkmsBuilds, modules=[stack], kernel=kernel)), default=0)
    builds: list[Build] = host.get_fact(DkmsBuilds, modules=list(DRIVERS), kernel=kernel)
    old = [build for build in builds if build.built < newest]
    # Want no build older than the stack's and have none?
    if not old:
        host.noop(f"no build of the driver is older than that of {stack}")
    for build in old:
        which = ["-m", QuoteString(build.module), "-v", QuoteString(build.version), "-k", QuoteString(kernel)]
        for verb in ("build", "install"):
            yield StringCommand("timeout", str(timeout), "dkms", verb, "--force", *which)
    if old:
        named = ", ".join(f"{build.module} {build.version}" for build in old)
        text = f"{named} was built again after {stack}; the next boot loads it"
        yield from boot.require_reboot._inner(key="rdma-driver", text=text)


@operation()
def reboot_noted() -> Commands:
    """
    Record a reason to reboot where the kernel runs modules of another network stack than the one that is installed.

    **Example:**

    .. code:: python

        ofed.reboot_noted(name="Say whether the installed network stack runs")
    """
    replaced = host.get_fact(ReplacedModules, modules=list(CORE))
    if replaced:
        text = f"the kernel runs another build of {', '.join(replaced)} than the installed one"
        yield from boot.require_reboot._inner(key=REBOOT_KEY, text=text)
    else:
        yield from boot.clear_reboot._inner(key=REBOOT_KEY)
