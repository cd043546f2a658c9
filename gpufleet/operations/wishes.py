"""Packages wished for at a version, held against what a host has installed and what its repositories offer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pyinfra.api.command import StringCommand
from pyinfra.api.facts import FactBase
from pyinfra.context import host

from gpufleet.facts.apt import AvailableVersions
from gpufleet.operations import failure
from gpufleet.stack import versions

#: A fact that lists the versions of `packages` that can be had, newest first.
Offers = type[FactBase[dict[str, list[str]]]]


def split(packages: Sequence[str], version: str | None = None) -> dict[str, str | None]:
    """Return the wished version of each package, from `name` and `name=version`."""
    return {name: own or version for name, _, own in (package.partition("=") for package in packages)}


def unmet(wanted: Mapping[str, str | None], installed: Mapping[str, str], pinned: Mapping[str, str]) -> list[str]:
    """Return the packages that are not installed as wanted; without a version, any that no pin forbids."""
    return [
        name
        for name, version in wanted.items()
        if name not in installed or not versions.matches(version or pinned.get(name, installed[name]), installed[name])
    ]


def choose(
    wanted: Mapping[str, str | None], offers: Offers = AvailableVersions
) -> tuple[dict[str, str | None], dict[str, list[str]]]:
    """Return the exact version to install of each package, and what there is of those without the wanted one."""
    sought = sorted(name for name, version in wanted.items() if version)
    offered: dict[str, list[str]] = host.get_fact(offers, packages=sought) if sought else {}
    missing = lacking(wanted, offered)
    chosen = {
        name: versions.newest_match(version, offered.get(name, [])) if version else None
        for name, version in wanted.items()
        if f"{name}={version}" not in missing
    }
    return chosen, missing


def lacking(wanted: Mapping[str, str | None], offered: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Return what there is of the packages that are not to be had at the wanted version."""
    return {
        f"{name}={version}": offered.get(name, [])
        for name, version in wanted.items()
        if version and not versions.newest_match(version, offered.get(name, []))
    }


def not_to_be_had(missing: Mapping[str, list[str]], where: str = "an apt repository") -> StringCommand:
    """Return the command that fails with the versions that can be had instead."""
    offers = ", ".join(
        f"{wish.partition('=')[0]} {' or '.join(found) or 'in no version'}" for wish, found in missing.items()
    )
    return failure(
        host.name,
        expected=f"{', '.join(missing)} in {where}",
        found=f"only {offers}",
        cure="ask for one of these, or switch on the repository that has it",
    )


def noop_text(names: Iterable[str], installed: Mapping[str, str]) -> str:
    """Say which versions are there already."""
    return f"installed: {', '.join(f'{name} {installed[name]}' for name in sorted(names))}"


def nothing_to_hold(names: Sequence[str]) -> StringCommand:
    """Return the command that fails because a hold of packages that are not there lacks a version."""
    return failure(
        host.name,
        expected=f"{', '.join(names)} installed, or a version to hold",
        found="neither",
        cure="write name=version, or hold after the installation",
    )
