"""Packages wished for at a version, held against what a host has installed and what its repositories offer."""

from __future__ import annotations

from collections.abc import Mapping

from pyinfra.api.command import StringCommand
from pyinfra.context import host

from gpufleet.facts.apt import AvailableVersions, PinnedVersions
from gpufleet.operations import failure
from gpufleet.stack import versions


def unmet(wanted: Mapping[str, str | None], installed: Mapping[str, str]) -> list[str]:
    """Return the packages that are not installed as wanted; without a version, any that no pin forbids."""
    free = sorted(name for name, version in wanted.items() if version is None and name in installed)
    pinned = host.get_fact(PinnedVersions, packages=free) if free else {}
    return [
        name
        for name, version in wanted.items()
        if name not in installed or not versions.matches(version or pinned.get(name, installed[name]), installed[name])
    ]


def choose(wanted: Mapping[str, str | None]) -> tuple[list[str], dict[str, list[str]]]:
    """Return what to tell apt-get to install, and what there is of each package without the wanted version."""
    chosen, missing = [], {}
    for name, version in wanted.items():
        available = host.get_fact(AvailableVersions, package=name) if version else []
        match = versions.newest_match(version, available) if version else None
        if version and not match:
            missing[f"{name}={version}"] = available
        else:
            chosen.append(f"{name}={match}" if match else name)
    return chosen, missing


def not_to_be_had(missing: Mapping[str, list[str]]) -> StringCommand:
    """Return the command that fails with the versions that can be had instead."""
    offers = ", ".join(
        f"{wish.partition('=')[0]} {' or '.join(found) or 'in no version'}" for wish, found in missing.items()
    )
    return failure(
        host.name,
        expected=f"{', '.join(missing)} in an apt repository",
        found=f"only {offers}",
        cure="ask for one of these, or switch on the repository that has it",
    )
