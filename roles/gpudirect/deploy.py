"""The steps of the role `gpudirect`, in the order in which they run."""

from __future__ import annotations

from pyinfra.api.deploy import deploy
from pyinfra.context import host

from gpufleet.operations import stack
from gpufleet.stack.host.resolved import resolution
from roles.gpudirect.options import Gpudirect
from roles.gpudirect.steps import build_module, install_gdrcopy, load_modules, remove_gdrcopy, say_path


@deploy("GPUDirect")
def gpudirect() -> None:
    """Let network adapters and programs reach GPU memory without a copy through the host.

    It configures:

    - nvidia_peermem where DMA-BUF is not to be had: loaded now and at boot, after the InfiniBand stack and the driver
    - GDRCopy on request: its library and its module, built for the running kernel and checked
    - one unit that loads these modules in the right order, before kubelet and Slurm

    It will not:

    - load nvidia_peermem where DMA-BUF works: open modules on kernels from 5.12 on, and always on EFA
    - install an InfiniBand stack
    - touch hosts whose data have no key `gpudirect`
    """
    options = Gpudirect.of(host)
    if host.data.get(options.key) is None:
        stack.left_alone(name="Leave GPUDirect alone", why="the host's data have no key gpudirect")
        return
    chosen = resolution(host)
    if chosen.errors:
        stack.refused(name="Refuse a stack that does not fit", verdicts=chosen.errors)
        return
    say_path(chosen)
    wanted = chosen.of("gdrcopy")
    if wanted:
        install_gdrcopy(options, chosen, wanted)
        build_module(options, wanted)
    else:
        remove_gdrcopy()
    load_modules(chosen)
