"""The steps of the role `imex`, in the order in which they run."""

from __future__ import annotations

from collections.abc import Sequence

from pyinfra.api.deploy import deploy
from pyinfra.context import host

from gpufleet.operations import stack
from gpufleet.stack.host.resolved import resolution
from gpufleet.stack.resolution import Package, Resolution
from roles.imex.options import Imex
from roles.imex.steps import (
    forget_nodes_and_order,
    install_packages,
    leave_to_dra,
    list_nodes,
    order_at_boot,
    refuse_without_nodes,
    remove_imex,
    run_daemon,
)


@deploy("IMEX")
def imex() -> None:
    """Run the IMEX daemon on hosts of a multi-node NVLink domain, or leave it to NVIDIA's DRA driver.

    It configures:

    - the package at the driver's exact version, held
    - /etc/nvidia-imex/nodes_config.cfg, the hosts of the domain
    - the order at boot: after the network and the persistence daemon, before kubelet and Slurm
    - with `run: dra`: the package alone, its unit stopped and masked
    - removal where the hardware or `run: off` does not ask for it

    It will not:

    - choose a version: it takes the driver's
    - create IMEX channels: the role nvidia_driver has the kernel module make channel 0 on compute trays
    - find the hosts of the domain by itself
    - start where the loaded driver waits for a reboot: it is enabled, and the reboot starts it
    - touch hosts whose data have no key `imex`
    """
    options = Imex.of(host)
    if host.data.get(options.key) is None:
        stack.left_alone(name="Leave IMEX alone", why="the host's data have no key imex")
        return
    chosen = resolution(host)
    if chosen.errors:
        stack.refused(name="Refuse a stack that does not fit", verdicts=chosen.errors)
        return
    wanted = chosen.of("imex")
    if not wanted:
        why = chosen.reasons.get("imex", "no driver is wanted, or imex is off")
        stack.left_alone(name="Run no IMEX", why=why)
        remove_imex()
        return
    if options.run == "dra":
        leave_to_dra()
        install_packages(options, chosen, wanted)
        forget_nodes_and_order()
    else:
        run_here(options, chosen, wanted)


def run_here(options: Imex, chosen: Resolution, wanted: Sequence[Package]) -> None:
    """Run the daemon of the host's own, which has to know the domain's nodes."""
    if not options.nodes:
        refuse_without_nodes()
        return
    install_packages(options, chosen, wanted)
    list_nodes(options)
    order_at_boot()
    run_daemon()
