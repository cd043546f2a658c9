"""Steps that bring the network stack: packages and, of DOCA-OFED, builds of its modules."""

from __future__ import annotations

from pyinfra.context import host

from gpufleet.facts.kernel import RunningKernel
from gpufleet.operations import components, dkms, files, ofed, repositories, stack, vendor_repository
from gpufleet.stack.machine import System
from gpufleet.stack.resolution import RdmaChoice, Resolution
from roles.infiniband.options import Infiniband

#: Name of NVIDIA's repository of network stacks.
DOCA = "doca"
#: Modules of DOCA-OFED that others build against the core's, though DKMS goes by the alphabet.
DEPENDENT = ("iser", "isert", "srp")


def say_provider(choice: RdmaChoice) -> None:
    """Report whose stack it is, and why."""
    release = "" if choice.provider == "inbox" else f" {choice.version}"
    stack.left_alone(name="Choose the network stack", why=f"{choice.provider}{release}: {choice.reason}")


def remove_others(options: Infiniband, choice: RdmaChoice) -> None:
    """Remove stacks that must not lie beside this one."""
    ofed.removed(
        patterns=list(choice.unwanted), timeout=options.install_timeout, name="Remove other network stacks of NVIDIA's"
    )
    if choice.provider == "inbox":
        vendor_repository.forgotten(repository=DOCA, name="Take packages of the same names from the distribution")


def prepare_builds(options: Infiniband, choice: RdmaChoice, system: System) -> None:
    """Have ready what builds the modules, before the packages that start a build."""
    if not choice.dkms_modules:
        return
    if system.family == "el":
        repositories.build_dependencies(arch=system.arch, name="Switch on the repository of build dependencies")
        repositories.epel(name="Use EPEL, which has dkms")
    kernel = host.get_fact(RunningKernel)
    dkms.headers(
        kernel=kernel, timeout=options.install_timeout, name=f"Install dkms and the headers of kernel {kernel}"
    )
    dkms.headers_held(kernel=kernel, name=f"Hold the headers of kernel {kernel}")
    core = choice.dkms_modules[0]
    for module in DEPENDENT:
        files.rendered(path=f"etc/dkms/{module}.conf", core=core, name=f"Have DKMS build {core} before {module}")


def install_packages(options: Infiniband, chosen: Resolution) -> None:
    """Install the stack; a release of DOCA-OFED is held."""
    components.install(chosen, chosen.of("rdma"), "the network stack", options.install_timeout)


def build_modules(options: Infiniband, choice: RdmaChoice) -> None:
    """Have the stack's modules for the running kernel, and the driver's built after them."""
    if not choice.dkms_modules:
        return
    kernel, timeout = host.get_fact(RunningKernel), options.install_timeout
    name = f"Build the network stack's modules for kernel {kernel}"
    ofed.built(modules=list(choice.dkms_modules), kernel=kernel, timeout=timeout, name=name)
    ofed.driver_rebuilt(
        stack=choice.dkms_modules[0],
        kernel=kernel,
        timeout=timeout,
        name="Build the NVIDIA driver's modules again where they are older",
    )
