"""Steps around the network stack: modules, names, limits, PCI Express, the kernel's arguments."""

from __future__ import annotations

from pyinfra.context import host

from gpufleet.facts.hardware import NvlinkBridges
from gpufleet.facts.pcie import ACS_CONTROL, BRIDGES, DEVICE_CONTROL
from gpufleet.facts.rdma import RdmaAdapters
from gpufleet.operations import (
    boot_loader,
    files,
    gpu_daemons,
    kernel,
    memlock,
    ofed,
    packages,
    pcie,
    rdma_names,
    unit_files,
    units,
)
from gpufleet.stack.machine import Hardware, System
from roles.infiniband.decisions import acs_off, device_names, kernel_arguments, registers, rule_match
from roles.infiniband.options import Infiniband

RULES = "etc/udev/rules.d/60-rdma-persistent-naming.rules"
MODULES = "etc/modules-load.d/gpufleet-infiniband.conf"
PCIE_UNIT = "gpufleet-pcie.service"
PCIE_PROGRAM = "usr/local/lib/gpufleet/pcie-settings.sh"
ARGUMENTS = "gpufleet-infiniband"


def note_reboot() -> None:
    """Say whether the kernel runs what is installed."""
    ofed.reboot_noted(name="Say whether the installed network stack runs")


def name_devices(options: Infiniband) -> None:
    """Call RDMA devices by their PCI address, at every boot and now."""
    bridges = host.get_fact(NvlinkBridges)
    adapters = [address for address in host.get_fact(RdmaAdapters) if address not in bridges]
    names = device_names(options, adapters)
    if not names:
        files.absent(path=RULES, name="Let RDMA devices be called as the network stack does")
        return
    files.rendered(path=rdma_names.PROGRAM.lstrip("/"), mode="755", name="Write the program that names RDMA devices")
    files.rendered(
        path=RULES,
        names=names,
        kernel=rule_match(options),
        program=rdma_names.PROGRAM,
        name="Write udev's rules for names of RDMA devices",
    )
    rdma_names.in_force(names=names, name="Call RDMA devices by these names")


def load_modules(options: Infiniband) -> None:
    """Load modules now and at every boot."""
    files.rendered(path=MODULES, modules=options.modules, name="List the modules of RDMA to load at boot")
    kernel.modules_loaded(modules=list(options.modules), name="Load the modules of RDMA")


def let_services_lock(options: Infiniband) -> None:
    """Give services their limit on locked memory."""
    services, limit = list(options.memlock.services), options.memlock.text
    for service in services:
        memlock.declared(unit=service, limit=limit, name=f"Declare what {service} may lock")
    memlock.granted(units=services, limit=limit, name="Let services lock memory, those that run too")


def set_pci_express_up(options: Infiniband, hardware: Hardware) -> None:
    """Make the settings of PCI Express at every boot and now; a unit without any goes."""
    bits, off = registers(options), acs_off(options, hardware)
    if not (bits or off):
        gpu_daemons.stopped(unit=PCIE_UNIT, name="Set nothing of PCI Express")
        unit_files.forgotten(unit=PCIE_UNIT, name="Remove the unit that sets PCI Express up")
        files.absent(path=PCIE_PROGRAM, name="Remove its program")
        return
    packages.exact(packages=["pciutils"], name="Install setpci")
    files.rendered(
        path=PCIE_PROGRAM,
        mode="755",
        registers=bits,
        acs_off=off,
        bridges=BRIDGES,
        acs_control=ACS_CONTROL,
        device_control=DEVICE_CONTROL,
        name="Write the program that sets PCI Express up",
    )
    files.rendered(path=f"etc/systemd/system/{PCIE_UNIT}", name="Write the unit that runs it at boot")
    units.running(units=[PCIE_UNIT], name="Set PCI Express up at every boot")
    pcie.in_force(unit=PCIE_UNIT, registers=bits, acs_off=off, name="Put the settings of PCI Express in force")


def ask_for_arguments(options: Infiniband, system: System) -> None:
    """Have the boot loader start kernels with the arguments."""
    wanted = kernel_arguments(options, system.arch)
    boot_loader.arguments(key=ARGUMENTS, arguments=wanted, name="Ask the boot loader for arguments of the kernel")
