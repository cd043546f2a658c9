"""Which driver a host gets: a pure decision from its options and the PCI ids of its GPUs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gpufleet.errors import GpufleetError, HostError
from gpufleet.stack.driver import WantedDriver
from gpufleet.stack.gpus import default_flavor, generation
from gpufleet.stack.versions import upstream
from roles.nvidia_driver.builds import BUILDS, PROPRIETARY, Build, branch
from roles.nvidia_driver.options import NvidiaDriver

#: Last branch for each generation that NVIDIA dropped (driver installation guide 580 and later).
LAST_BRANCH = {"maxwell": 580, "pascal": 580, "volta": 580}
#: Open modules need the GSP processor, which came with Turing; later parts have no other support (same guide).
PROPRIETARY_ONLY = frozenset(LAST_BRANCH)
OPEN_ONLY = frozenset({"grace_hopper", "blackwell"})


NONE = WantedDriver("", "", "")


@dataclass(frozen=True)
class Choice:
    """The driver for one host and why this build, or why there is none."""

    version: str = ""
    build: Build = PROPRIETARY
    wanted: WantedDriver = NONE
    reason: str = ""
    refusal: HostError | None = None


def choose(host: str, options: NvidiaDriver, device_ids: Sequence[str]) -> Choice:
    """Choose the build of the module, and refuse versions and flavors that cannot drive these GPUs."""
    if options.version is None:
        where, cure = f"{host}: nvidia_driver.version", "name one, such as 535.261.03"
        return Choice(refusal=HostError(where, expected="a version", found="none", cure=cure))
    try:
        best, reason = default_flavor(device_ids, branch(options.version))
    except GpufleetError as error:
        where = f"{host}: {error.where}"
        return Choice(refusal=HostError(where, expected=error.expected, found=error.found, cure=error.cure))
    flavor = best if options.flavor == "auto" else options.flavor
    if refusal := _refusal(host, options.version, flavor, device_ids):
        return Choice(refusal=refusal)
    build = BUILDS[flavor]
    module_options = {name: str(value) for name, value in options.module_options.items()}
    return Choice(
        version=options.version,
        build=build,
        wanted=WantedDriver(upstream(options.version), flavor, build.module, module_options),
        reason=reason if options.flavor == "auto" else "set by nvidia_driver.flavor",
    )


def _refusal(host: str, version: str, flavor: str, device_ids: Sequence[str]) -> HostError | None:
    """Say why this version or flavor cannot drive one of these GPUs; None where it can."""
    for device in device_ids:
        age = generation(device) or "unknown generation"
        last = LAST_BRANCH.get(age)
        if last and branch(version) > last:
            return _error(host, "version", f"branch {last} or older", version, age, device)
        if flavor == "open" and age in PROPRIETARY_ONLY:
            return _error(host, "flavor", "proprietary", flavor, age, device)
        if flavor == "proprietary" and age in OPEN_ONLY:
            return _error(host, "flavor", "open", flavor, age, device)
    if branch(version) not in BUILDS[flavor].branches:
        return HostError(
            f"{host}: nvidia_driver.version",
            expected=f"a branch with {flavor} kernel modules",
            found=version,
            cure="choose another version or set nvidia_driver.flavor",
        )
    return None


def _error(host: str, option: str, expected: str, found: str, age: str, device: str) -> HostError:
    gpu = f"GPU 10de:{device} ({age})"
    return HostError(
        f"{host}: nvidia_driver.{option}",
        expected=f"{expected} for {gpu}",
        found=found,
        cure=f"set nvidia_driver.{option} to suit it",
    )
