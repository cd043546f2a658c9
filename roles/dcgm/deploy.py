"""The steps of the role `dcgm`, in the order in which they run."""

from __future__ import annotations

from pyinfra.api.deploy import deploy
from pyinfra.context import host

from gpufleet.operations import stack
from gpufleet.stack.host.resolved import resolution
from roles.dcgm.options import Dcgm
from roles.dcgm.steps import install_packages, order_at_boot, remove_dcgm, remove_others, run_daemon


@deploy("DCGM")
def dcgm() -> None:
    """Install DCGM for the CUDA major that the driver brings, and run its host engine.

    It configures:

    - DCGM's core and the packages of that CUDA major, held at one version; two majors where old GPUs need both
    - removal of packages of other majors and of older DCGM, which would lie beside them
    - the order at boot: after the persistence daemon and fabric manager, before kubelet and Slurm

    It will not:

    - choose the CUDA major by a toolkit: the driver decides
    - install dcgm-exporter, which runs in a container of its own
    - touch hosts whose data have no key `dcgm`
    """
    options = Dcgm.of(host)
    if host.data.get(options.key) is None:
        stack.left_alone(name="Leave DCGM alone", why="the host's data have no key dcgm")
        return
    chosen = resolution(host)
    if chosen.errors:
        stack.refused(name="Refuse a stack that does not fit", verdicts=chosen.errors)
        return
    wanted = chosen.of("dcgm")
    if not wanted:
        why = chosen.reasons.get("dcgm", "no GPU, no driver, or not wanted")
        stack.left_alone(name="Run no DCGM", why=why)
        remove_dcgm()
        return
    remove_others(chosen, wanted)
    install_packages(options, chosen, wanted)
    order_at_boot()
    run_daemon(options)
