"""Names of CUDA toolkit packages in NVIDIA's repositories: every one ends with its toolkit, `cuda-nvcc-12-9`."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

_TOOLKIT = re.compile(r"cuda-toolkit-(?P<major>\d+)-(?P<minor>\d+)")
_COMPAT = re.compile(r"cuda-compat-(?P<major>\d+)-(?P<minor>\d+)")
_CONFIG = re.compile(r"cuda-toolkit-(?P<major>\d+)-(?P<minor>\d+)-config-common")


def folder(toolkit: str) -> str:
    """Return where a toolkit is installed."""
    return f"/usr/local/cuda-{toolkit}"


def toolkit_of(package: str) -> str | None:
    """Return the toolkit that a package installs whole, or whose driver libraries it holds; None for any other."""
    match = _TOOLKIT.fullmatch(package) or _COMPAT.fullmatch(package)
    return f"{match['major']}.{match['minor']}" if match else None


def compat_package(toolkit: str) -> str:
    """Return the package with the driver libraries of a toolkit's own time."""
    return f"cuda-compat-{toolkit.replace('.', '-')}"


def patterns(toolkits: Iterable[str]) -> list[str]:
    """Return shell patterns for the packages of these toolkits, as dpkg-query and rpm take them."""
    suffixes = [toolkit.replace(".", "-") for toolkit in toolkits]
    return [pattern for suffix in suffixes for pattern in (f"*-{suffix}", f"*-{suffix}-config-common")]


def belongs(package: str, toolkits: Iterable[str]) -> bool:
    """Tell whether a package is a part of one of these toolkits."""
    suffixes = [re.escape(toolkit.replace(".", "-")) for toolkit in toolkits]
    return any(re.fullmatch(rf".+-{suffix}(-config-common)?", package) for suffix in suffixes)


def leftovers(removed: Collection[str], installed: Iterable[str]) -> list[str]:
    """Return the configuration packages that toolkits share and that nobody needs once these packages are gone."""
    names = set(installed)
    staying = [match for name in names - set(removed) if (match := _CONFIG.fullmatch(name))]
    majors = {match["major"] for match in staying}
    gone = {match["major"] for name in removed if (match := _CONFIG.fullmatch(name))} - majors
    shared = [f"cuda-toolkit-{major}-config-common" for major in sorted(gone)]
    return [name for name in [*shared, *["cuda-toolkit-config-common"] * (not staying)] if name in names]
