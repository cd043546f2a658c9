"""The steps of the role `container_toolkit`, in the order in which they run."""

from __future__ import annotations

from pyinfra.api.deploy import deploy
from pyinfra.context import host

from gpufleet.operations import stack
from gpufleet.stack.host.resolved import resolution
from roles.container_toolkit.options import ContainerToolkit
from roles.container_toolkit.steps import configure, describe_devices, install, register, remove


@deploy("Container toolkit")
def container_toolkit() -> None:
    """Give GPUs to containers by NVIDIA's container toolkit, so that a reload of systemd does not take them away.

    It configures:

    - nvidia-container-toolkit, nvidia-container-toolkit-base, libnvidia-container-tools and libnvidia-container1, all
      held at one version, from NVIDIA's repository, trusted by its pinned key
    - /etc/nvidia-container-runtime/config.toml: how containers ask for GPUs, and by what means they get them
    - the runtime `nvidia` at containerd: a drop-in in the schema of the root file, which containerd reads before it is
      put in place and before any restart
    - links in /dev/char, by which systemd finds the devices of control groups: without them pods lose their GPUs at
      `systemctl daemon-reload` ("Failed to initialize NVML: Unknown Error")
    - the CDI specification /var/run/cdi/nvidia.yaml, written before containerd starts, whenever the driver is loaded,
      and by every run that finds another driver or other GPUs or MIG devices than it names
    - from 1.18 on the toolkit's own nvidia-cdi-refresh.path beside that
    - removal of all of that with `state: absent`, on hosts without a GPU too

    It will not:

    - install a driver, a device plugin or a runtime class in the cluster
    - change pods that run: they keep what they were started with
    - remove specifications that others wrote below /etc/cdi; a check names those that give the same devices
    - configure Docker or CRI-O
    - remove anything while containers run by its runtime: they could not be stopped any more
    - touch hosts whose data have no key `container_toolkit`, or that have no NVIDIA GPU and are not to lose it: a
      baseboard whose GPUs are gone from the bus for a while keeps what it has
    """
    options = ContainerToolkit.of(host)
    if host.data.get(options.key) is None:
        stack.left_alone(name="Leave the container toolkit alone", why="the host's data have no key container_toolkit")
        return
    if options.state == "absent":
        remove()
        return
    chosen = resolution(host)
    if chosen.errors:
        stack.refused(name="Refuse a stack that does not fit", verdicts=chosen.errors)
        return
    if not chosen.of("toolkit"):
        stack.left_alone(name="Leave the container toolkit alone", why=chosen.reasons["toolkit"])
        return
    install(options, chosen)
    configure(options)
    describe_devices(chosen)
    register(options)
