"""The steps of the role `infiniband`, in the order in which they run."""

from __future__ import annotations

from pyinfra.api.deploy import deploy
from pyinfra.context import host

from gpufleet.operations import stack
from gpufleet.stack.host.mirrors import unpinned
from gpufleet.stack.host.resolved import machine, resolution
from roles.infiniband.options import Infiniband
from roles.infiniband.packages import build_modules, install_packages, prepare_builds, remove_others, say_provider
from roles.infiniband.steps import (
    ask_for_arguments,
    let_services_lock,
    load_modules,
    name_devices,
    note_reboot,
    set_pci_express_up,
)


@deploy("InfiniBand")
def infiniband() -> None:
    """Give hosts with Mellanox network adapters their RDMA stack, and have GPUs and adapters reach each other directly.

    It configures:

    - rdma-core of the distribution, or DOCA-OFED from NVIDIA's repository, in place of older stacks of NVIDIA's
    - DOCA-OFED's modules by DKMS, checked, and the NVIDIA driver's again where they are older than those
    - kernel modules, now and at boot; RDMA devices called by their PCI address, by a rule of udev
    - memory that services may lock, also for services that run, without a restart
    - maximum read requests and relaxed ordering of PCI devices, and ACS off above GPUs and adapters, at every boot
    - the IOMMU and other arguments of the kernel, through the boot loader

    It will not:

    - reboot: it records a reason where the kernel needs one, or where a device is in use that has another's name
    - set up IPoIB, RoCE, a subnet manager, or the adapters' firmware
    - blacklist a module, or unload one
    - touch hosts without Mellanox network adapters, or whose data have no key `infiniband`
    """
    options = Infiniband.of(host)
    if host.data.get(options.key) is None:
        stack.left_alone(name="Leave InfiniBand alone", why="the host's data have no key infiniband")
        return
    chosen, found = resolution(host), machine(host)
    if errors := [*chosen.errors, *unpinned(chosen, {})]:
        stack.refused(name="Refuse a stack that does not fit", verdicts=errors)
        return
    if chosen.rdma is None:
        why = chosen.reasons.get("rdma", "no network stack is wanted")
        stack.left_alone(name="Leave a host without RDMA adapters alone", why=why)
        return
    say_provider(chosen.rdma)
    remove_others(options, chosen.rdma)
    prepare_builds(options, chosen.rdma, found.system)
    install_packages(options, chosen)
    build_modules(options, chosen.rdma)
    note_reboot()
    name_devices(options)
    load_modules(options)
    let_services_lock(options)
    set_pci_express_up(options, found.hardware)
    ask_for_arguments(options, found.system)
