"""Short steps of the role, each one operation or two; their order is in deploy.py."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from gpufleet.containers.configuration import rendered
from gpufleet.containers.registries import hosts
from gpufleet.containers.schema import ROOT_FILE
from gpufleet.facts.containerd import UNIT
from gpufleet.operations import cni, components, containerd, files, filesystems, gpu_daemons, registries
from gpufleet.stack.resolution import Package, Resolution
from gpufleet.stack.versions import upstream
from roles.container_runtime.options import ContainerRuntime

#: Names of containerd's packages, whoever made them; CNI plugins may serve others, and stay.
PACKAGES = ("containerd", "containerd.io", "runc")
DROP_IN = f"etc/systemd/system/{UNIT}.d/gpufleet.conf"
CRICTL = "etc/crictl.yaml"
SOCKET = "unix:///run/containerd/containerd.sock"


def wanted(chosen: Resolution) -> tuple[Package, ...]:
    """Return the packages to install."""
    return chosen.of("containerd")


def version(chosen: Resolution) -> str:
    """Return containerd's release, by which its configuration is written: `1.7.24` of `1.7.24~ds1-*`."""
    exact = next(package.version for package in wanted(chosen) if package.name.startswith("containerd"))
    return upstream(exact)


def unit_context(options: ContainerRuntime) -> dict[str, Any]:
    """Return what the unit's drop-in is rendered with; checks render the same."""
    return {"limits": options.limits, "root": options.root}


def registry_texts(options: ContainerRuntime) -> Mapping[str, str]:
    """Return hosts.toml by registry."""
    return {name: hosts(registry) for name, registry in options.registries.items()}


def require_filesystem(options: ContainerRuntime) -> None:
    """See that the file system is mounted before anything is put on the one below it."""
    if options.filesystem:
        name = f"See that {options.root} lies on the file system at {options.filesystem}"
        filesystems.required(
            directory=options.root, mount=options.filesystem, option="container_runtime.filesystem", name=name
        )


def see_that_drop_ins_fit(options: ContainerRuntime, chosen: Resolution) -> None:
    """Refuse drop-ins of others that the release to come would not read, while the one of before still runs."""
    text = rendered(options.settings, version(chosen))
    containerd.awaited(text=text, name="See that drop-ins fit the release to come")


def install(options: ContainerRuntime, chosen: Resolution) -> None:
    """Install containerd, held, with runc and network plugins; the other source's goes once this one is fetched."""
    others = [pattern for pattern in chosen.unwanted if any(fnmatchcase(name, pattern) for name in PACKAGES)]
    components.install(chosen, wanted(chosen), "containerd", options.install_timeout, instead_of=others)


def link_plugins() -> None:
    """Have the distribution's network plugins where containerd looks."""
    cni.linked(name="Link the network plugins to where containerd looks")


def limit(options: ContainerRuntime) -> None:
    """Give the service its limits, and have its data mounted before it starts."""
    files.rendered(path=DROP_IN, name="Limit containerd's service", **unit_context(options))


def mirror_registries(options: ContainerRuntime) -> None:
    """Write the mirrors, which every pull reads anew."""
    registries.mirrored(texts=registry_texts(options), name="Write the mirrors of registries")


def configure(options: ContainerRuntime, chosen: Resolution) -> None:
    """Write the root file, once containerd has read it beside the drop-ins."""
    text = rendered(options.settings, version(chosen))
    containerd.configured(path=ROOT_FILE, text=text, name="Write containerd's configuration")


def configure_crictl() -> None:
    """Tell crictl where containerd listens."""
    files.rendered(path=CRICTL, socket=SOCKET, name="Tell crictl where containerd listens")


def run() -> None:
    """Run containerd, restarted where a file of it changed."""
    containerd.running(name="Run containerd")


def remove() -> None:
    """Remove containerd and what was written for it; images, containers and drop-ins of others stay."""
    gpu_daemons.stopped(unit=UNIT, name="Stop containerd")
    components.removed(patterns=list(PACKAGES), name="Remove containerd")
    files.absent(path=DROP_IN, name="Forget its limits")
    registries.mirrored(texts={}, name="Forget the mirrors of registries")
    files.absent(path=ROOT_FILE, name="Remove its configuration")
    files.unsaved(path=ROOT_FILE, name="Forget the configuration that rpm saved")
    files.absent(path=CRICTL, name="Remove crictl's configuration")
