"""Whether a host's driver is the one wanted: pure comparisons, each difference in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gpufleet.facts.nvidia import Driver
from gpufleet.stack.versions import upstream

#: What the places where a version lives are called in messages.
LOADED = "loaded module"


@dataclass(frozen=True)
class WantedDriver:
    """The driver a host should run: upstream version, build, the name of its module file, and module options."""

    version: str
    flavor: str
    module: str
    options: Mapping[str, str] = field(default_factory=dict)


def swap_reasons(driver: Driver, wanted: WantedDriver) -> list[str]:
    """Return why the loaded module is not the wanted one; none means that it can stay."""
    if not driver.loaded:
        return ["no module nvidia is loaded"]
    reasons = []
    if driver.loaded != wanted.version:
        reasons.append(f"module nvidia {driver.loaded} is loaded, {wanted.version} is wanted")
    if driver.flavor and driver.flavor != wanted.flavor:
        reasons.append(f"the {driver.flavor} module is loaded, the {wanted.flavor} one is wanted")
    for name, value in wanted.options.items():
        live = driver.parameters.get(name.removeprefix("NVreg_"))
        if live is not None and not same_value(live, value):
            reasons.append(f"module option {name} is {live}, {value} is wanted")
    return reasons


def disagreements(driver: Driver, wanted: WantedDriver, packages: Mapping[str, str]) -> list[str]:
    """Return what keeps loaded module, userspace, packages and module on disk from being one version."""
    places = {
        LOADED: driver.loaded,
        "module on disk": driver.on_disk,
        "userspace (libnvidia-ml)": driver.userspace,
    } | {f"package {name}": upstream(version) for name, version in sorted(packages.items())}
    wrong = [f"{place} {version or 'none'}" for place, version in places.items() if version != wanted.version]
    unknown = [f"no module option {name}" for name in wanted.options if not _known(driver, name)]
    return wrong + (unknown if driver.loaded == wanted.version else [])


def same_value(live: str, wanted: str) -> bool:
    """Compare values of a module option: the driver shows numbers as unsigned decimals, however they were given."""
    try:
        return int(live, 0) & 0xFFFFFFFF == int(wanted, 0) & 0xFFFFFFFF
    except ValueError:
        return live == wanted


def _known(driver: Driver, name: str) -> bool:
    return not driver.parameters or name.removeprefix("NVreg_") in driver.parameters
