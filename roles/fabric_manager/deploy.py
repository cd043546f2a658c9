"""The steps of the role `fabric_manager`, in the order in which they run."""

from __future__ import annotations

from pyinfra.api.deploy import deploy
from pyinfra.context import host

from gpufleet.operations import stack
from gpufleet.stack.host.resolved import resolution
from roles.fabric_manager.options import FabricManager
from roles.fabric_manager.steps import (
    COMPONENTS,
    install_packages,
    load_modules,
    order_at_boot,
    remove_fabric_manager,
    run_daemon,
)


@deploy("Fabric manager")
def fabric_manager() -> None:
    """Run fabric manager where a host has NVSwitches to manage, in the version of its driver.

    It configures:

    - fabric manager and NSCQ where NVSwitches are on the PCI bus; with NVLSM and NVSDM where NVLink5 switches are found
      by the VPD of their management ports
    - on NVLink5 the modules mlx5_core and ib_umad, now and at boot, before fabric manager
    - holds at the driver's exact version
    - the order at boot: after the persistence daemon and the InfiniBand stack, before kubelet and Slurm; a packaged
      unit that starts after multi-user.target is replaced by a copy that does not
    - removal where the hardware or `run: off` does not ask for it

    It will not:

    - run on compute trays of GB200 and GB300, nor on clouds where the machine below owns the switches
    - choose a version: it takes the driver's
    - start where the loaded driver waits for a reboot: it is enabled, and the reboot starts it
    - restart for another order at boot: a fabric manager that stops ends every CUDA program of the host
    - touch hosts whose data have no key `fabric_manager`
    """
    options = FabricManager.of(host)
    if host.data.get(options.key) is None:
        stack.left_alone(name="Leave fabric manager alone", why="the host's data have no key fabric_manager")
        return
    chosen = resolution(host)
    if chosen.errors:
        stack.refused(name="Refuse a stack that does not fit", verdicts=chosen.errors)
        return
    wanted = chosen.of(*COMPONENTS)
    if not wanted:
        why = chosen.reasons.get("fabric_manager", "no driver is wanted, or fabric_manager is off")
        stack.left_alone(name="Run no fabric manager", why=why)
        remove_fabric_manager()
        return
    load_modules(chosen)
    install_packages(options, chosen, wanted)
    order_at_boot(chosen)
    run_daemon()
