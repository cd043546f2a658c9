"""The two builds of the kernel module as Debian packages them: names only, no decisions about hosts."""

from __future__ import annotations

from dataclasses import dataclass

from gpufleet.stack.versions import upstream

#: Source package of the userspace, of the firmware and of the proprietary module.
DRIVER_SOURCE = "nvidia-graphics-drivers"
#: What every GPU host needs beside the module, at the module's version.
USERSPACE = ("libcuda1", "libnvidia-cfg1", "libnvidia-ml1", "nvidia-smi")
#: The daemon has a source and versions of its own, and works with any driver.
PERSISTENCED = "nvidia-persistenced"


@dataclass(frozen=True)
class Build:
    """One flavor of the kernel module; `module` is the name that `options` lines in modprobe.d need."""

    flavor: str
    module: str
    source: str
    packages: tuple[str, ...]
    branches: range


PROPRIETARY = Build(
    flavor="proprietary",
    module="nvidia-current",
    source=DRIVER_SOURCE,
    packages=("nvidia-kernel-dkms", "nvidia-kernel-support"),
    branches=range(1, 615),  # removed in 615: NVIDIA driver installation guide 620
)
OPEN = Build(
    flavor="open",
    module="nvidia-current-open",
    source="nvidia-open-gpu-kernel-modules",
    packages=("nvidia-open-kernel-dkms", "nvidia-open-kernel-support"),
    branches=range(515, 10_000),  # first released with 515
)
BUILDS = {build.flavor: build for build in (PROPRIETARY, OPEN)}
SOURCES = (DRIVER_SOURCE, OPEN.source)


def other(build: Build) -> Build:
    """Return the build that must not lie beside this one: Debian's alternatives would prefer the proprietary one."""
    return OPEN if build is PROPRIETARY else PROPRIETARY


def branch(version: str) -> int:
    """Return the driver branch of a version: 535 of `535.216.03`."""
    return int(upstream(version).split(".")[0])
