"""The steps of the role `nvidia_driver`, in the order in which they run."""

from __future__ import annotations

from pyinfra.api.deploy import deploy
from pyinfra.context import host

from gpufleet.facts.hardware import PciDevices
from gpufleet.operations import nvidia
from gpufleet.stack.gpus import nvidia_gpus
from roles.nvidia_driver.choice import choose
from roles.nvidia_driver.options import NvidiaDriver
from roles.nvidia_driver.removal import remove_driver
from roles.nvidia_driver.steps import (
    build_module,
    hold_packages,
    install_headers,
    install_packages,
    pin_sources,
    prove_agreement,
    reboot_if_required,
    run_persistence_daemon,
    say_flavor,
    swap_module,
    switch_on_components,
    write_module_options,
)


@deploy("NVIDIA driver")
def nvidia_driver() -> None:
    """Install, replace or remove the NVIDIA driver, and end with the proof that all its parts agree.

    It configures:

    - the archive components that hold the driver, in the apt sources that are there
    - a pin and holds for every package of the driver's sources, at one exact version
    - headers of the running kernel, and a DKMS build that is checked
    - the open or the proprietary kernel module, by the generation of the GPUs
    - options of the kernel module in /etc/modprobe.d/gpufleet-nvidia.conf, and the persistence daemon
    - the loaded module, which it swaps where nothing uses it; else it says who does and records a reason to reboot

    It will not:

    - reboot, unless `reboot` says `if-required`; stop processes that use a GPU, or drain the host
    - install CUDA, fabric manager, DCGM or the container toolkit
    - blacklist nouveau, which the role base does
    - touch hosts without an NVIDIA GPU
    """
    options = NvidiaDriver.of(host)
    devices = host.get_fact(PciDevices)
    gpus = nvidia_gpus(devices)
    if options.state == "absent":
        remove_driver()
        return
    if not gpus:
        nvidia.left_alone(name="Leave a host without NVIDIA GPUs alone", why="no NVIDIA GPU on the PCI bus")
        return
    choice = choose(host.name, options, [gpu.device for gpu in gpus])
    if choice.refusal:
        nvidia.refused(name="Refuse a driver that cannot run here", error=choice.refusal)
        return
    say_flavor(choice)
    switch_on_components()
    pin_sources(choice)
    install_headers(options)
    install_packages(options, choice)
    hold_packages(options, choice)
    build_module(options, choice)
    drop_in = write_module_options(options, choice)
    swap_module(choice, drop_in)
    run_persistence_daemon(options)
    reboot_if_required(options)
    prove_agreement(choice)
