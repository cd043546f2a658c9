"""Short steps of the role, each one operation or two; their order is in deploy.py."""

from __future__ import annotations

from pyinfra.context import host

from gpufleet.errors import HostError
from gpufleet.facts.kubelet import CLUSTERS, DROP_IN, DROP_INS, UNIT, ApiServer, NodeIdentity
from gpufleet.facts.kubelet_flags import FLAGS
from gpufleet.facts.numa import NumaNodes, OnlineCpus
from gpufleet.facts.offers import OfferedVersions
from gpufleet.facts.packages import InstalledVersions
from gpufleet.kubernetes import join as joining
from gpufleet.kubernetes.join import Joining, Papers
from gpufleet.kubernetes.kubelet_configuration import KubeletConfiguration
from gpufleet.kubernetes.labels import COMPUTED
from gpufleet.kubernetes.memory import NumaNode
from gpufleet.kubernetes.names import PREFLIGHT
from gpufleet.operations import (
    components,
    files,
    gpu_daemons,
    kernel,
    kubeadm,
    kubelet,
    kubelet_configuration,
    kubelet_flags,
    packages,
    stack,
    swap,
    sysctl,
    unit_files,
    vendor_repository,
    wishes,
)
from gpufleet.stack.kubernetes_choice import BESIDE, VERSIONED
from gpufleet.stack.resolution import Resolution
from roles.kubelet.decisions import Situation
from roles.kubelet.groups import Join
from roles.kubelet.options import HUGE_PAGES, Kubelet

MODULES = "etc/modules-load.d/gpufleet-kubelet.conf"
SETTINGS = "etc/sysctl.d/61-gpufleet-kubelet.conf"
#: Behind kubeadm's 10-kubeadm.conf, whose variable it gives another value.
UNIT_DROP_IN = f"etc/systemd/system/{UNIT}.d/20-gpufleet.conf"
#: What the kubelet reads at its start alone.
FILES = (kubelet.PROGRAM, DROP_IN, CLUSTERS, FLAGS)
REPOSITORY = "kubernetes"
#: Seconds for all steps of kubeadm together, in units of the seconds for one.
STEPS = 4


def look(options: Kubelet, chosen: Resolution) -> Situation:
    """Ask the host for what decides about its kubelet."""
    nodes: list[NumaNode] = host.get_fact(NumaNodes)
    identity: str = host.get_fact(NodeIdentity)
    is_known = bool(options.api_server or identity)
    sought = _sought(chosen)
    return Situation(
        host=host.name,
        nodes=tuple(nodes),
        cpus=host.get_fact(OnlineCpus),
        identity=identity,
        server=host.get_fact(ApiServer, endpoint=options.api_server or "") if is_known else None,
        is_to_change=bool(sought),
        lacking=_lacking(chosen, sought),
    )


def _sought(chosen: Resolution) -> dict[str, str | None]:
    """Return the packages that are not installed at the version to install."""
    wanted = {package.name: package.version or None for package in chosen.of("kubernetes")}
    installed: dict[str, str] = host.get_fact(InstalledVersions, packages=sorted(wanted))
    return {name: wanted[name] for name in wishes.unmet(wanted, installed, {})}


def _lacking(chosen: Resolution, sought: dict[str, str | None]) -> dict[str, list[str]]:
    """Return which of the packages sought their repository has not, asked before the host uses it."""
    urls = [repository.url for repository in chosen.repositories if repository.name == REPOSITORY]
    offered = host.get_fact(OfferedVersions, url=urls[0], packages=sorted(sought)) if sought and urls else {}
    # A repository that says nothing is the installation's own failure.
    return wishes.lacking(sought, offered) if offered else {}


def prepare_kernel(options: Kubelet) -> None:
    """Load modules and put kernel settings in force, now and at every boot; some settings are a module's."""
    files.rendered(path=MODULES, modules=options.modules, name="List the kernel modules of Kubernetes to load at boot")
    kernel.modules_loaded(modules=options.modules, name="Load the kernel modules of Kubernetes")
    files.rendered(path=SETTINGS, values=options.sysctl_text, name="Declare the kernel settings of Kubernetes")
    sysctl.in_force(values=options.sysctl_text, name="Put the kernel settings of Kubernetes in force")


def turn_swap_off(options: Kubelet) -> None:
    """Turn swap off, where pods are not to know of any."""
    if options.swap == "off":
        swap.off(name="Turn swap off, now and at every boot")


def see_that_it_may_change(options: Kubelet, wanted: KubeletConfiguration, node: str) -> None:
    """Refuse what takes a drained node on one that is not: another minor version, or managers that must forget."""
    kubelet.may_move(version=str(options.version), node=node, name="See that the kubelet may become this version")
    pages = options.sysctl_text.get(HUGE_PAGES)
    hugepages = None if pages is None else int(pages)
    kubelet_configuration.may_be(
        wanted=wanted, node=node, hugepages=hugepages, name="See that the kubelet's managers may be as declared"
    )


def install(options: Kubelet, chosen: Resolution) -> None:
    """Install the packages, held."""
    packages.exact(packages=["openssl"], timeout=options.install_timeout, name="Install what reads certificates")
    components.install(chosen, chosen.of("kubernetes"), "Kubernetes", options.install_timeout)
    packages.held(packages=list(BESIDE), name="Hold what kubelet and kubeadm need beside")


def configure(options: Kubelet, wanted: KubeletConfiguration, node: str) -> None:
    """Have the kubelet read our configuration over the cluster's, by flags that it knows."""
    kubelet_flags.are_known(version=str(options.version), name="Drop flags that the kubelet no longer has")
    files.rendered(path=UNIT_DROP_IN, drop_ins=DROP_INS, name="Have the kubelet read drop-ins, after what it needs")
    kubelet_configuration.in_force(
        wanted=wanted, node=node, read=FILES, name="Configure the kubelet, checked by itself"
    )


def join(options: Kubelet, papers: Papers | None, node: str, identity: str) -> None:
    """Join the cluster, where the host has not and is to."""
    if identity:
        stack.left_alone(name="Join no cluster again", why=f"joined as {node}")
    elif papers is None or options.join is None or options.api_server is None:
        stack.left_alone(name="Join no cluster", why="no way to join is declared")
    else:
        timeout = STEPS * options.join.timeout
        kubeadm.joined(
            node=node,
            papers=papers,
            endpoint=options.api_server,
            timeout=timeout,
            taint=PREFLIGHT if options.preflight else None,
            name=f"Join the cluster as {node}",
        )


def papers(options: Kubelet, labels: dict[str, str], node: str, identity: str) -> Papers | None:
    """Return what the host joins with; the secrets of one that is a node already are not even read.

    Raises GpufleetError for secrets that the controller has not, or that are none.
    """
    if identity or options.join is None or options.api_server is None:
        return None
    given = Joining(node, options.runtime, labels, options.join.ignored, options.join.timeout)
    return _read(options.join, given, options.api_server)


def _read(way: Join, given: Joining, endpoint: str) -> Papers:
    """Read the secrets on the controller, and write kubeadm's configuration; raises GpufleetError."""
    where = f"{host.name}: kubelet.join"
    if way.bootstrap_kubeconfig is not None:
        content = way.bootstrap_kubeconfig.read(f"{where}.bootstrap_kubeconfig").decode(errors="replace")
        return Papers(joining.with_kubeconfig(given, kubeadm.KUBECONFIG_THERE), content)
    pairs = {"token": way.token, "ca_hashes": way.ca_hashes}
    texts = {name: secret.read(f"{where}.{name}").decode(errors="replace") for name, secret in pairs.items() if secret}
    try:
        token, hashes = joining.token(texts["token"]), joining.hashes(texts["ca_hashes"])
    except ValueError as error:
        expected, _, rest = str(error).removeprefix("expected ").partition(", found ")
        found, _, cure = rest.partition("; ")
        raise HostError(where, expected=expected, found=found, cure=cure) from None
    return Papers(joining.with_token(given, endpoint, token, hashes))


def run(labels: dict[str, str], node: str) -> None:
    """Run the kubelet on what is written, and have its node's labels as they are now."""
    kubelet.running(files=FILES, name="Run the kubelet")
    kubelet.labeled(node=node, labels=labels, computed=COMPUTED, name="Label the node")


def remove(options: Kubelet, node: str) -> None:
    """Take the host out of its cluster, and remove all of it."""
    kubeadm.reset(
        node=node, runtime=options.runtime, undrained=options.undrained_reset, name="Take the host out of its cluster"
    )
    gpu_daemons.stopped(unit=UNIT, name="Stop the kubelet")
    components.removed(patterns=[*VERSIONED, *BESIDE], name="Remove Kubernetes' packages")
    vendor_repository.forgotten(repository=REPOSITORY, name="Forget Kubernetes' repository")
    unit_files.forgotten(unit=UNIT, name="Forget the kubelet's unit drop-in")
    for path, what in ((DROP_IN, "configuration"), (SETTINGS, "kernel settings"), (MODULES, "kernel modules")):
        files.absent(path=path, name=f"Remove the {what} of Kubernetes")
