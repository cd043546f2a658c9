"""Which packages are parts of a driver, and what an installation of other software must not do to them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

#: Metapackages and kernel modules: nothing but the driver's own role brings, changes or removes these. `cuda`,
#: `cuda-12-9` and `cuda-runtime-12-9` depend on a driver (CUDA installation guide, "Meta Packages").
_DRIVER = re.compile(
    r"cuda|cuda-(runtime-)?\d+-\d+|cuda-drivers(-.*)?|nvidia-open(-\d+)?|nvidia-open-kernel-.*|nvidia-driver(-.*)?|"
    r"nvidia-headless-.*|nvidia-dkms(-.*)?|nvidia-kernel-.*|nvidia-tesla-.*|kmod-nvidia(-.*)?|"
    r"linux-(modules|objects|signatures)-nvidia-.*|xserver-xorg-video-nvidia(-.*)?"
)
#: Libraries and daemons at the driver's version: a toolkit may bring them to a host that has none, and no more.
_USERSPACE = re.compile(
    r"libcuda1(-.*)?|nvidia-(smi|utils|compute-utils|firmware|persistenced|modprobe|settings|alternative|imex|fabric-?manager)(-\d.*)?|"
    r"libnvidia-(?!container|ml-dev)[a-z0-9-]+|libnvsdm(-\d+)?|nvidia-libXNVCtrl"
)


@dataclass(frozen=True, order=True)
class Change:
    """What an installation would do to one package; the version before or after it is empty where there is none."""

    package: str
    before: str = ""
    after: str = ""

    def __str__(self) -> str:
        if not self.before:
            return f"{self.package} {self.after} installed"
        return f"{self.package} {self.before} " + (f"replaced by {self.after}" if self.after else "removed")


def is_userspace(package: str) -> bool:
    """Tell whether a package holds libraries or daemons of a driver, and no kernel module."""
    return bool(_USERSPACE.fullmatch(package))


def forbidden(changes: Iterable[Change]) -> list[Change]:
    """Return the changes that would bring in a driver, or touch the one that is there."""
    return sorted(
        change
        for change in changes
        if change.before != change.after
        and (_DRIVER.fullmatch(change.package) or (change.before and is_userspace(change.package)))
    )
