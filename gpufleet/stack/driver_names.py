"""The driver's packages among all that a host has installed, whoever made them: by their names and versions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

from gpufleet.stack.versions import upstream

#: Packages whose version is the driver's, one of which every installed driver has: the library that nvidia-smi and
#: monitoring load, nvidia-smi, or the module, in the names of NVIDIA's repositories, of Debian's and of Ubuntu's.
_MARKER = re.compile(
    r"libnvidia-(tesla-)?(\d{3}-)?ml1|libnvidia-ml|libnvidia-compute(-\d{3})?(-server)?"
    r"|nvidia-(tesla-)?(\d{3}-)?smi|nvidia-utils(-\d{3})?(-server)?|nvidia-driver-cuda(-libs)?"
    r"|nvidia-(tesla-)?(\d{3}-)?(open-)?kernel(-open)?-dkms|nvidia-dkms(-\d{3})?(-server)?(-open)?"
    r"|kmod-nvidia(-open|-latest)?-dkms"
)
_VERSION = re.compile(r"[1-9]\d{2}\.\d{2,3}(\.\d{2})?")
#: A driver branch in a name: nvidia-dkms-570-open, libnvidia-nscq-570, nvidia-tesla-535-driver.
_BRANCH = re.compile(r"-(?P<branch>[1-9]\d{2})(?=-|\.|$)")
_OURS = re.compile(r"nvidia|cuda-drivers|libnvsdm|libcuda\d")
#: What Ubuntu itself packs for servers: nvidia-dkms-570-server-open, nvidia-firmware-570-server-570.195.03.
_SERVER = re.compile(r"-\d{3}-server(-open)?(-[\d.]+)?")
#: Sources of the module, which Ubuntu and NVIDIA pack apart from its DKMS package.
_SOURCES = re.compile(r"nvidia-kernel-source(-\d{3})?(-server)?(?P<open>-open)?")
#: Packages that demand a version of the driver: `nvidia-driver-pinning-580`, `nvidia-driver-pinning-580.95.05`.
PINNING = "nvidia-driver-pinning-"
#: What runs or reads the fabric in the driver's version, by component; `nvlsm` has versions of its own.
_COMPANIONS = {
    "fabric_manager": re.compile(r"(cuda-drivers|nvidia)-fabric-?manager(-\d{3})?(-dev|-devel)?"),
    "nscq": re.compile(r"libnvidia-nscq(-\d{3})?"),
    "nvsdm": re.compile(r"libnvsdm(-\d{3})?"),
    "imex": re.compile(r"nvidia-imex(-\d{3})?"),
}


def versions(installed: Mapping[str, str]) -> set[str]:
    """Return the upstream versions of the drivers that are installed, one as a rule."""
    found = {upstream(version) for name, version in installed.items() if _MARKER.fullmatch(name)}
    return {version for version in found if _VERSION.fullmatch(version)}


def of_driver(installed: Mapping[str, str]) -> set[str]:
    """Return everything that shares a version with an installed driver, and what pins one."""
    drivers = versions(installed)
    own = {name for name, version in installed.items() if upstream(version) in drivers}
    return own | {name for name in installed if name.startswith(PINNING)}


def looks_like_driver(version: str) -> bool:
    """Tell whether a package's version has the form of a driver's: `580.95.05`."""
    return _VERSION.fullmatch(upstream(version)) is not None


def of_other_branches(installed: Mapping[str, str], wanted: Iterable[str], version: str) -> set[str]:
    """Return packages that carry another branch or version in their name than those that are wanted do.

    What has the wanted driver's own version stays, whatever it is called: its packages brought it.
    """
    keep = set(wanted)
    branches = {match["branch"] for name in keep for match in [_BRANCH.search(name)] if match}
    named = {name: match["branch"] for name in installed if _OURS.search(name) and (match := _BRANCH.search(name))}
    others = {name for name, branch in named.items() if branch not in branches and not name.startswith(PINNING)}
    return {name for name in others - keep if upstream(installed[name]) != version}


def of_other_packager(installed: Mapping[str, str], wanted: Iterable[str]) -> set[str]:
    """Return what NVIDIA packed where Ubuntu's own server driver is wanted, and the other way round.

    The two exclude each other file by file under names of one branch. apt does not let held ones go by itself.
    """
    ours = any(_SERVER.search(name) for name in wanted)
    own = {name for name in of_driver(installed) if _OURS.search(name) and not name.startswith(PINNING)}
    return {name for name in own - companions(installed).keys() if bool(_SERVER.search(name)) != ours}


def of_other_flavor(installed: Iterable[str], flavor: str) -> set[str]:
    """Return the sources of the module's other build, which exclude those of this one."""
    sources = {name: match for name in installed if (match := _SOURCES.fullmatch(name))}
    return {name for name, match in sources.items() if bool(match["open"]) != (flavor == "open")}


def companions(installed: Mapping[str, str]) -> dict[str, str]:
    """Return the component of each installed package that must have the driver's version."""
    return {
        name: component
        for name in sorted(installed)
        for component, pattern in _COMPANIONS.items()
        if pattern.fullmatch(name)
    }


def matching(installed: Iterable[str], patterns: Iterable[str]) -> set[str]:
    """Return the installed packages that one of these names or shell patterns means."""
    wanted = list(patterns)
    return {name for name in installed if any(fnmatchcase(name, pattern) for pattern in wanted)}
