"""Components of the stack that the resolver chose: their repository, holds and packages in the order that is safe."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from typing import Any

from pyinfra.api.operation import OperationMeta, operation
from pyinfra.context import host

from gpufleet.facts.packages import HeldPackages, InstalledVersions, LockedVersions
from gpufleet.operations import fetching, packages, vendor_repository
from gpufleet.stack import driver_names
from gpufleet.stack.resolution import Component, Package, Resolution

Commands = Generator[Any, None, None]


def install(
    chosen: Resolution,
    wanted: Sequence[Package],
    what: str,
    timeout: int,
    recommended: bool = False,
    instead_of: Sequence[str] = (),
) -> OperationMeta:
    """Use the repositories, hold every package at its version, then install; returns the installation.

    Called by deploys, like an operation; it is several of them. `recommended` installs what the packages recommend.
    `instead_of` are names of another source's packages, which go once these are known to be on offer, and fetched.
    """
    for repository in chosen.repositories:
        vendor_repository.used(repository=repository, name=f"Use the repository {repository.name}")
    specs = [f"{package.name}={package.version}" if package.version else package.name for package in wanted]
    if versioned := [spec for spec in specs if "=" in spec]:
        packages.held(packages=versioned, name=f"Hold {what} at its version")
    if instead_of:
        give_way(patterns=instead_of, to=specs, timeout=timeout, name=f"Remove {what} of another source")
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
    there, let_go = _there(parts, patterns), _kept(parts, patterns)
    # Want none and have none?
    if not there and not let_go:
        host.noop(f"none installed of {', '.join(dict.fromkeys([*parts, *patterns]))}")
    yield from _removal(there, let_go)


@operation()
def give_way(patterns: Sequence[str], to: Sequence[str], timeout: int) -> Commands:
    """
    Remove packages for others to come in their place, once those have been fetched, and let go of their versions.

    Where the others cannot be had, these stay as they are.

    + patterns: names of the packages that go; `*` stands for any text
    + to: packages that come, `name=version` or a name alone each
    + timeout: seconds that fetching them may take

    **Example:**

    .. code:: python

        components.give_way(name="Remove Docker's", patterns=["containerd.io"], to=["containerd"], timeout=900)
    """
    there, let_go = _there((), patterns), _kept((), patterns)
    # Want none and have none?
    if not there and not let_go:
        host.noop(f"none installed of {', '.join(patterns)}")
        return
    can_be_had = not there or (yield from fetching.fetched(to, there, timeout))
    if can_be_had:
        yield from _removal(there, let_go)


def _there(parts: Sequence[Component], patterns: Sequence[str]) -> list[str]:
    installed: dict[str, str] = host.get_fact(InstalledVersions)
    return sorted(_of(installed, parts, patterns))


def _kept(parts: Sequence[Component], patterns: Sequence[str]) -> list[str]:
    kept = {*host.get_fact(HeldPackages), *host.get_fact(LockedVersions)}
    return sorted(_of(kept, parts, patterns))


def _removal(there: Sequence[str], let_go: Sequence[str]) -> Commands:
    if let_go:
        yield from packages.held._inner(packages=let_go, present=False)
    if there:
        yield from packages.removed._inner(packages=there)


def _of(names: Iterable[str], parts: Sequence[Component], patterns: Sequence[str]) -> set[str]:
    listed = dict.fromkeys(names, "")
    known = driver_names.companions(listed)
    return {name for name, part in known.items() if part in parts} | driver_names.matching(listed, patterns)
