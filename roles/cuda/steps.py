"""Short steps of the role, each one operation or two; their order is in deploy.py."""

from __future__ import annotations

from collections.abc import Sequence

from pyinfra.context import host

from gpufleet.operations import (
    alternatives,
    apt,
    driver_guard,
    files,
    linker,
    packages,
    toolkits,
    vendor_repository,
)
from gpufleet.stack.host.resolved import machine
from gpufleet.stack.toolkits import folder
from roles.cuda.choice import Choice
from roles.cuda.options import Cuda

#: Where Debian keeps its own build of the toolkit; Ubuntu has it in multiverse, which its images have switched on.
COMPONENTS = ("contrib", "non-free", "non-free-firmware")
GROUP = "cuda"
#: The link that decides what /usr/local/cuda is; its own time tells when it was last moved.
LINK = "/etc/alternatives/cuda"
PROFILE = "etc/profile.d/cuda.sh"
LINKER = "etc/ld.so.conf.d/gpufleet-cuda.conf"
COMPAT = "etc/ld.so.conf.d/00-gpufleet-cuda-compat.conf"
RECORD = "etc/gpufleet/cuda-toolkits"


def use_sources(choice: Choice) -> None:
    """Use the repositories that the packages come from."""
    if choice.from_distribution:
        if machine(host).system.family == "debian":
            apt.components(components=COMPONENTS, name="Switch on the archive's non-free components")
    else:
        for repository in choice.repositories:
            vendor_repository.used(repository=repository, name=f"Use NVIDIA's repository {repository.name}")


def write_record(recorded: Sequence[str], name: str) -> None:
    """Keep what was installed from here, or no record where that is nothing."""
    if recorded:
        files.rendered(path=RECORD, toolkits=recorded, name=name)
    else:
        files.absent(path=RECORD, name=name)


def hold(choice: Choice) -> None:
    """Hold the packages before they come: nothing else can then bring another version of them."""
    if exact := [spec for spec in _specs(choice) if "=" in spec]:
        packages.held(packages=exact, name="Hold the toolkits at their versions")


def install(options: Cuda, choice: Choice) -> None:
    """Install the toolkits where that leaves the driver alone, and hold all that they consist of."""
    if not choice.packages:
        return
    names = [package.name for package in choice.packages]
    driver_guard.untouched(wanted=names, name="See that the toolkits leave the driver alone")
    packages.exact(packages=_specs(choice), timeout=options.install_timeout, name="Install the toolkits")
    if choice.toolkits:
        toolkits.held(toolkits=choice.toolkits, name="Hold everything that the toolkits consist of")
    if choice.from_distribution:
        toolkits.driver_libraries_held(name="Hold the driver's libraries that the toolkit depends on")


def choose_default(choice: Choice) -> None:
    """Choose what /usr/local/cuda leads to."""
    if choice.default:
        path = folder(choice.default)
        alternatives.chosen(group=GROUP, path=path, name=f"Make CUDA {choice.default} the default")


def say_paths(choice: Choice) -> None:
    """Tell shells and the linker where the default is, or take that back."""
    if choice.toolkits:
        files.rendered(path=PROFILE, name="Append the default toolkit to PATH")
        files.rendered(path=LINKER, name="Have the linker look into the default toolkit")
    else:
        files.absent(path=PROFILE, name="Leave PATH alone")
        files.absent(path=LINKER, name="Leave the linker's paths alone")


def use_compat(choice: Choice) -> None:
    """Put the newer driver libraries before the driver's own, or take them out of the way."""
    if choice.compat:
        path = f"{folder(choice.compat)}/compat"
        reason = choice.compat_reason
        files.rendered(path=COMPAT, folder=path, reason=reason, name="Have the linker find cuda-compat first")
    else:
        files.absent(path=COMPAT, name="Have the linker find the driver's own libraries")
    if unwanted := choice.unwanted_compat:
        packages.held(packages=unwanted, present=False, name="Let go of driver libraries that are not wanted")
        packages.removed(packages=unwanted, name="Remove driver libraries that are not wanted")


def remove(options: Cuda, choice: Choice) -> None:
    """Remove toolkits that this role installed and that are no longer wanted."""
    if choice.obsolete:
        listed = " and ".join(choice.obsolete)
        toolkits.removed(toolkits=choice.obsolete, timeout=options.install_timeout, name=f"Remove CUDA {listed}")


def refresh_linker(choice: Choice) -> None:
    """Let the linker see what changed."""
    linker.cache_is_fresh(links=[LINK], name="Let the linker see the default toolkit")


def _specs(choice: Choice) -> list[str]:
    return [f"{package.name}={package.version}" if package.version else package.name for package in choice.packages]
