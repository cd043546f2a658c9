"""The steps of the role `cuda`, in the order in which they run."""

from __future__ import annotations

from pyinfra.api.deploy import deploy
from pyinfra.context import host

from gpufleet.facts.cuda import ManagedToolkits
from gpufleet.operations import stack
from gpufleet.stack.host.resolved import resolution
from roles.cuda.choice import choose
from roles.cuda.options import Cuda
from roles.cuda.steps import (
    choose_default,
    hold,
    install,
    refresh_linker,
    remove,
    say_paths,
    use_compat,
    use_sources,
    write_record,
)


@deploy("CUDA")
def cuda() -> None:
    """Install CUDA toolkits side by side, and keep them away from the driver.

    It configures:

    - NVIDIA's package repository, its key pinned by fingerprint; or the archive's non-free parts for its own toolkit
    - every toolkit at one exact version in /usr/local/cuda-X.Y, all its packages held
    - the default, /usr/local/cuda, by alternatives, so that a later toolkit does not move it
    - /etc/profile.d/cuda.sh, which appends to PATH, and /etc/ld.so.conf.d/gpufleet-cuda.conf with lib64
    - the driver libraries of cuda-compat with a linker path of their own, where they are wanted
    - removal of toolkits that it installed itself and that are no longer wanted

    It will not:

    - install `cuda`, `cuda-drivers` or any other package that brings in a driver; an installation that would bring in,
      change or remove a driver package is refused before it runs
    - touch toolkits that somebody else installed
    - set LD_LIBRARY_PATH, which outranks the libraries that programs bring along

    The distribution's own toolkit (Debian's nvidia-cuda-toolkit) is one version, lies in /usr/bin and /usr/lib, has no
    /usr/local/cuda, and needs neither profile nor linker path. Programs that look for CUDA_HOME take /usr/lib/cuda.
    """
    options = Cuda.of(host)
    managed = host.get_fact(ManagedToolkits)
    if not options.toolkits and not managed:
        stack.left_alone(name="Leave a host without CUDA alone", why="no toolkits are wanted")
        return
    chosen = resolution(host) if options.toolkits else None
    if chosen and chosen.errors:
        stack.refused(name="Refuse a stack that does not fit", verdicts=chosen.errors)
        return
    choice = choose(options, chosen, managed)
    use_sources(choice)
    write_record(choice.recorded, "Note the toolkits before they are installed")
    hold(choice)
    install(options, choice)
    choose_default(choice)
    say_paths(choice)
    use_compat(choice)
    remove(options, choice)
    refresh_linker(choice)
    write_record(choice.toolkits, "Note the toolkits that are there")
