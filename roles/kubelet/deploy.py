"""The steps of the role `kubelet`, in the order in which they run."""

from __future__ import annotations

from pyinfra.api.deploy import deploy
from pyinfra.context import host

from gpufleet.errors import GpufleetError
from gpufleet.operations import kubelet as operations
from gpufleet.operations import stack
from gpufleet.stack.host.resolved import machine, resolution
from gpufleet.stack.resolution import Resolution
from roles.kubelet.decisions import Situation, beside, configuration, node_labels, problems
from roles.kubelet.options import Kubelet
from roles.kubelet.steps import (
    configure,
    install,
    join,
    look,
    papers,
    prepare_kernel,
    remove,
    run,
    see_that_it_may_change,
    turn_swap_off,
)


@deploy("Kubelet beforehand")
def kubelet_beforehand() -> None:
    """Do what comes before the container runtime, in deploys that bring or remove both.

    What cannot be a node as declared is refused before the runtime is touched. A host that is to leave its cluster
    leaves it while the runtime can still end its pods, and the runtime's role puts back what packages shared with it.
    """
    if host.data.get(Kubelet.key) is None:
        return
    options = Kubelet.of(host)
    if options.state == "absent":
        remove(options, options.node_name or host.name)
        return
    chosen = resolution(host)
    found = look(options, chosen)
    if not _refuse(options, chosen, found):
        see_that_it_may_change(options, configuration(options, found.nodes), options.node(host.name))


@deploy("Kubelet")
def kubelet() -> None:
    """Make the host a node of a Kubernetes cluster that fits GPU work, kept from users until its checks passed.

    It configures:

    - kubelet, kubeadm and kubectl at one exact version, with cri-tools and kubernetes-cni, from the repository of their
      minor version, all held; refused before any change where API server, containerd or kubelet do not go together
    - kernel modules, kernel settings and swap, those that `protectKernelDefaults` demands included
    - the kubelet: static CPU manager with processors of the system's own, topology manager, static memory manager whose
      reservations add up on every NUMA node, eviction, images, graceful shutdown, rotated certificates, huge pages;
      as a drop-in over the cluster's configuration, which the kubelet itself checks before it takes its place
    - its managers' records, which go where they are of another policy, reservation or machine, on a drained node alone
    - the flags that kubeadm gave it at the join, of which those go that the wanted kubelet no longer has
    - the join, by a token or a bootstrap kubeconfig, with taints, gpufleet's own first; refused where the cluster still
      has a node of this name without that one, as a kubelet taints only a node that it makes
    - labels of GPUs, driver and place, at the join and whenever they change, by the node's own rights
    - another minor version on a drained node alone; `state: absent` resets and removes all of it

    It will not:

    - drain or cordon a node, or delete it from the API server
    - change taints of a node that has registered, which `gpufleet verify` does with its own alone, or others' labels
    - install a network for pods, a device plugin, or a control plane
    - read a secret for a host that is a node already, or write one where other users of the host can read it
    - remove rules of iptables, nftables or IPVS on reset: a reboot clears them
    - touch hosts whose data have no key `kubelet`
    """
    if host.data.get(Kubelet.key) is None:
        stack.left_alone(name="Leave Kubernetes alone", why="the host's data have no key kubelet")
        return
    options = Kubelet.of(host)
    if options.state == "absent":
        remove(options, options.node_name or host.name)
        return
    chosen = resolution(host)
    found = look(options, chosen)
    if _refuse(options, chosen, found):
        return
    node, wanted = options.node(host.name), configuration(options, found.nodes)
    labels = node_labels(options, machine(host).hardware.gpus, chosen)
    try:
        given = papers(options, labels, node, found.identity)
    except GpufleetError as error:
        operations.refused(name="Refuse to join without the secrets that it takes", problems=[error])
        return
    see_that_it_may_change(options, wanted, node)
    prepare_kernel(options)
    turn_swap_off(options)
    install(options, chosen)
    configure(options, wanted, node)
    join(options, given, node, found.identity)
    run(labels, node)


def _refuse(options: Kubelet, chosen: Resolution, found: Situation) -> bool:
    """Refuse a host for everything that speaks against it; tells whether anything does."""
    if errors := chosen.errors or beside(str(options.version), found.server.version if found.server else ""):
        stack.refused(name="Refuse a stack that does not fit", verdicts=errors)
        return True
    if wrong := list(problems(options, found)):
        operations.refused(name="Refuse a host that cannot be a node as declared", problems=wrong)
        return True
    return False
