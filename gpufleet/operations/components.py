"""Components of the stack that the resolver chose: their repository, holds and packages in the order that is safe."""

from __future__ import annotations

from collections.abc import Sequence

from pyinfra.api.operation import OperationMeta

from gpufleet.operations import packages, vendor_repository
from gpufleet.stack.resolution import Package, Resolution


def install(
    chosen: Resolution, wanted: Sequence[Package], what: str, timeout: int, recommended: bool = False
) -> OperationMeta:
    """Use the repositories, hold every package at its version, then install; returns the installation.

    Called by deploys, like an operation; it is several of them. `recommended` installs what the packages recommend.
    """
    for repository in chosen.repositories:
        vendor_repository.used(repository=repository, name=f"Use the repository {repository.name}")
    versioned = [f"{package.name}={package.version}" for package in wanted if package.version]
    if versioned:
        packages.held(packages=versioned, name=f"Hold {what} at its version")
    specs = [f"{package.name}={package.version}" if package.version else package.name for package in wanted]
    return packages.exact(packages=specs, timeout=timeout, recommended=recommended, name=f"Install {what}")


def remove(names: Sequence[str], what: str) -> None:
    """Let go of packages and remove them; of none there is nothing to say."""
    if names:
        packages.held(packages=list(names), present=False, name=f"Let go of {what}")
        packages.removed(packages=list(names), name=f"Remove {what}")
