"""Components of the stack that the resolver chose: their repository, holds and packages in the order that is safe."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from typing import Any

from pyinfra.api.operation import OperationMeta, operation
from pyinfra.context import host

from gpufleet.facts.packages import HeldPackages, InstalledVersions, LockedVersions
from gpufleet.operations import packages, vendor_repository
from gpufleet.stack import driver_names
from gpufleet.stack.resolution import Component, Package, Resolution

Commands = Generator[Any, None, None]


def install(
    chosen: Resolution, wanted: Sequence[Package], what: str, timeout: int, recommended: bool = False
) -> OperationMeta:
    """Use the repositories, hold every package at its version, then install; returns the installation.

    Called by deploys, like an operation; it is several of them. `recommended` installs what the packages recommend.
    """
    for repository in chosen.repositories:
        vendor_repository.used(repository=repository, name=f"Use the repository {repository.name}")
    specs = [f"{package.name}={package.version}" if package.version else package.name for package in wanted]
    if versioned := [spec for spec in specs if "=" in spec]:
        packages.held(packages=versioned, name=f"Hold {what} at its version")
    return packages.exact(packages=specs, timeout=timeout, recommended=recommended, name=f"Install {what}")


@operation()
def removed(parts: Sequence[Component] = (), patterns: Sequence[str] = ()) -> Commands:
    """
    Remove packages of components under whatever names other branches gave them, and let go of their versions.

    What is there is asked when the operation executes: the driver's installation takes companions to new names.

    + parts: components that have the driver's version
    + patterns: names of more packages; `*` stands for any text

    **Example:**

    .. code:: python

        components.removed(name="Remove IMEX", parts=["imex"])
    """
    installed: dict[str, str] = host.get_fact(InstalledVersions)
    there = _of(installed, parts, patterns)
    kept = {*host.get_fact(HeldPackages), *host.get_fact(LockedVersions)}
    let_go = sorted(_of(kept, parts, patterns))
    # Want none and have none?
    if not there and not let_go:
        host.noop(f"none installed of {', '.join(dict.fromkeys([*parts, *patterns]))}")
    if let_go:
        yield from packages.held._inner(packages=let_go, present=False)
    if there:
        yield from packages.removed._inner(packages=sorted(there))


def _of(names: Iterable[str], parts: Sequence[Component], patterns: Sequence[str]) -> set[str]:
    listed = dict.fromkeys(names, "")
    known = driver_names.companions(listed)
    return {name for name, part in known.items() if part in parts} | driver_names.matching(listed, patterns)
