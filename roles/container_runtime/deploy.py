"""The steps of the role `container_runtime`, in the order in which they run."""

from __future__ import annotations

from pyinfra.api.deploy import deploy
from pyinfra.context import host

from gpufleet.operations import stack
from gpufleet.stack.host.resolved import resolution
from roles.container_runtime.options import ContainerRuntime
from roles.container_runtime.steps import (
    configure,
    configure_crictl,
    install,
    limit,
    link_plugins,
    mirror_registries,
    remove,
    require_filesystem,
    run,
    see_that_drop_ins_fit,
)


@deploy("Container runtime")
def container_runtime() -> None:
    """Install containerd for the kubelet, and have it run by files that it has read beforehand.

    It configures:

    - containerd, held at one version: the distribution's own with runc, or `containerd.io` of Docker's repository,
      which brings runc; the other one is removed once this one is fetched
    - network plugins of the distribution, linked into /opt/cni/bin, where the cluster's network puts its own;
      Enterprise Linux 10 has none, and gets them with `kubernetes-cni`, which the role `kubelet` installs
    - /etc/containerd/config.toml in the schema of the installed release (2, 3 or 4): drop-ins of conf.d, systemd's
      control groups, limits of huge pages, sandbox image, registries' directory, snapshotter, devices by name (CDI)
    - mirrors of registries below /etc/containerd/certs.d, and /etc/crictl.yaml
    - limits of the service, which containers inherit: locked memory for RDMA, open files, processes
    - its data on the file system that is named, mounted before it starts
    - removal of all of that with `state: absent`, but for the data

    It will not:

    - put a file in place that containerd does not read, or would ignore in part: `containerd config dump` is asked
      first, drop-ins of others included, and while something is wrong the containerd that runs goes on as it is
    - change drop-ins that others wrote below /etc/containerd/conf.d
    - move data when `root` changes: drain the node, and remove the old directory
    - install crictl, which comes with kubeadm
    - touch hosts whose data have no key `container_runtime`
    """
    options = ContainerRuntime.of(host)
    if host.data.get(options.key) is None:
        stack.left_alone(name="Leave the container runtime alone", why="the host's data have no key container_runtime")
        return
    if options.state == "absent":
        remove()
        return
    chosen = resolution(host)
    if chosen.errors:
        stack.refused(name="Refuse a stack that does not fit", verdicts=chosen.errors)
        return
    require_filesystem(options)
    see_that_drop_ins_fit(options, chosen)
    install(options, chosen)
    link_plugins()
    limit(options)
    mirror_registries(options)
    configure(options, chosen)
    configure_crictl()
    run()
