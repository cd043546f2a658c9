"""The steps of the role `nccl`, in the order in which they run."""

from __future__ import annotations

from pyinfra.api.deploy import deploy
from pyinfra.context import host

from gpufleet.operations import stack
from gpufleet.stack.declared import DeclaredMachine
from gpufleet.stack.host.resolved import machine, resolution
from roles.nccl.choice import choose
from roles.nccl.options import Nccl
from roles.nccl.removal import remove_nccl
from roles.nccl.steps import (
    build_tests,
    hold,
    install,
    offer_to_pods,
    put_beside_toolkits,
    refresh_linker,
    say_profile,
    use_sources,
    write_settings,
    write_topology,
)


@deploy("NCCL")
def nccl() -> None:
    """Install NCCL at one exact version, and give host and pods the settings of their platform.

    It configures:

    - library and headers at one version, held; the build for another CUDA major goes beside that major's toolkit
    - /etc/nccl.conf: the platform's profile, and the settings given here above it
    - /etc/gpufleet/nccl/topo.xml, where the platform hides its PCI tree or a file is given
    - /etc/gpufleet/nccl and /etc/cdi/gpufleet-nccl.json, by which pods get the same settings
    - nccl-tests in /opt/nccl-tests, built from a source archive with its checksum, where one is given

    It will not:

    - keep NCCL_DEBUG or other variables of one run in a file that every job reads
    - install network plugins (EFA, gIB, TCPX): they come with their platform's own installer, and a check asks for them
    - touch hosts whose data have no key `nccl`

    How a pod gets the settings. Containers bring a libnccl of their own, which reads the container's /etc/nccl.conf and
    the file that NCCL_CONF_FILE names (from 2.23 on), never the host's. Three ways, the files are the same in each:

    - a `hostPath` volume of /etc/gpufleet/nccl at the same path, and the variable
      `NCCL_CONF_FILE=/etc/gpufleet/nccl/nccl.conf`; works with every runtime
    - the CDI device `gpufleet.io/nccl=conf`, which does both: by a device plugin or DRA driver that returns it, or
      `--device gpufleet.io/nccl=conf` of podman, nerdctl and docker
    - the CDI device `gpufleet.io/nccl=etc` for NCCL before 2.23: it lies over the image's /etc/nccl.conf
    """
    options = Nccl.of(host)
    if host.data.get(options.key) is None:
        stack.left_alone(name="Leave NCCL alone", why="the host's data have no key nccl")
        return
    if options.state == "absent":
        remove_nccl()
        return
    platform = DeclaredMachine.of(host).completed(machine(host)).hardware.platform
    chosen = resolution(host)
    if chosen.errors:
        stack.refused(name="Refuse a stack that does not fit", verdicts=chosen.errors)
        return
    choice = choose(options, chosen, platform)
    say_profile(choice)
    use_sources(choice)
    hold(choice)
    install(options, choice)
    put_beside_toolkits(options, choice)
    write_topology(choice)
    write_settings(choice)
    offer_to_pods(options, choice)
    refresh_linker()
    build_tests(options)
