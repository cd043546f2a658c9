"""From one driver to another: what moves together, in which order, and what a swap of modules cannot do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gpufleet.stack.machine import Hardware, System
from gpufleet.stack.matrix import Matrix
from gpufleet.stack.module_options import CDMM, coherent
from gpufleet.stack.resolution import DriverChoice, Package, Resolution
from gpufleet.stack.resolve import resolve
from gpufleet.stack.verdicts import Verdict
from gpufleet.stack.wish import Wish


@dataclass(frozen=True)
class Move:
    """One component: its packages before and after, a name and a version each; empty where it comes or goes."""

    component: str
    before: tuple[str, ...]
    after: tuple[str, ...]

    @property
    def renamed(self) -> bool:
        """Whether the packages change their names."""
        return bool(self.before and self.after) and {_name(text) for text in self.before} != {
            _name(text) for text in self.after
        }


@dataclass(frozen=True)
class Step:
    """One thing to do, and why it stands where it stands."""

    what: str
    why: str


@dataclass(frozen=True)
class Path:
    """The way from one driver to another on one kind of host; no steps where nothing moves or an error forbids it."""

    before: str
    after: str
    moves: tuple[Move, ...] = ()
    steps: tuple[Step, ...] = ()
    #: Why the host has to reboot; empty where a swap of the modules does, once nothing uses the GPUs.
    reboots: tuple[str, ...] = ()
    verdicts: tuple[Verdict, ...] = ()


def upgrade_path(from_version: str, to_version: str, hardware: Hardware, system: System, matrix: Matrix) -> Path:
    """Return what has to move together between two drivers, branches or exact versions, up or down.

    Both ends are taken with the companions that the hardware asks for, from NVIDIA's repository where it has the
    branch, else from the distribution. There is no stop between: NVIDIA names none from any branch to any other.
    """
    old, new = (_end(version, hardware, system, matrix) for version in (from_version, to_version))
    verdicts = tuple(dict.fromkeys((*new.errors, *old.errors)))
    if verdicts or old.driver is None or new.driver is None:
        return Path(from_version, to_version, verdicts=verdicts or new.verdicts)
    moves = tuple(_moves(old, new))
    return Path(
        old.driver.version,
        new.driver.version,
        moves=moves,
        steps=tuple(_steps(old, new)) if moves else (),
        reboots=tuple(_reboots(old, new, hardware, matrix)),
        verdicts=new.verdicts,
    )


def _end(version: str, hardware: Hardware, system: System, matrix: Matrix) -> Resolution:
    parts = {"driver": version, "fabric_manager": "auto", "imex": "auto", "dcgm": "auto"}
    answers = [
        resolve(hardware, system, Wish.model_validate({**parts, "source": source}), matrix)
        for source in ("nvidia", "distribution")
    ]
    return next((answer for answer in answers if not answer.errors), answers[0])


def _moves(old: Resolution, new: Resolution) -> Iterator[Move]:
    packages = [(*end.driver.packages, *end.packages) if end.driver else () for end in (old, new)]
    for component in dict.fromkeys(package.component for package in (*packages[1], *packages[0])):
        before, after = (tuple(_text(item) for item in end if item.component == component) for end in packages)
        if before != after:
            yield Move(component, before, after)


def _steps(old: Resolution, new: Resolution) -> Iterator[Step]:
    before, after = old.driver, new.driver
    if before is None or after is None:
        return
    stopped = ["what uses its GPUs", *(service.unit for service in reversed(old.services) if service.enabled)]
    why = "modules in use cannot be replaced, and fabric manager of one version refuses a module of another"
    yield Step(f"drain the host, and stop {', '.join(stopped)}", why)
    yield from _exchange_of_pins(before, after)
    yield from _exchange_of_packages(old, new, after)
    yield from _other_majors(old, new)
    yield Step(
        "unload the old modules and load the new ones, or reboot", "the loaded module stays the old one till then"
    )
    if started := [service.unit for service in new.services if service.enabled]:
        yield Step(f"start {', '.join(started)}", "in the order in which they need each other")
    proof = f"verify that module, userspace and companions all say {after.version}, then return the host to work"
    yield Step(proof, "only that proves the swap")


def _exchange_of_packages(old: Resolution, new: Resolution, driver: DriverChoice) -> Iterator[Step]:
    if gone := [name for name in _names(old) if name not in _names(new)]:
        why = f"driver {driver.version} has other names, and these hold the old version"
        yield Step(f"remove {', '.join(gone)}", why)
    bound = [package.name for package in (*driver.packages, *new.packages) if package.version == driver.version]
    what = f"install {', '.join(bound)} at {driver.version} in one transaction, and hold them"
    yield Step(what, "module, userspace and companions work at one version only")
    if driver.dkms_module:
        built = f"{driver.dkms_module}/{driver.version}"
        yield Step(
            f"see that dkms status has {built} as installed for the running kernel", "packages hide failed builds"
        )


def _exchange_of_pins(before: DriverChoice, after: DriverChoice) -> Iterator[Step]:
    if before.pinning != after.pinning:
        what = [f"remove {before.pinning}"] * bool(before.pinning) + [f"install {after.pinning}"] * bool(after.pinning)
        yield Step(" and ".join(what), "the pin decides which version the next step may install")
    if before.stream != after.stream:
        what_else = f"reset the module nvidia-driver and switch it from {before.stream or 'none'} to {after.stream}"
        yield Step(what_else, "packages of other streams are hidden from dnf")
    if before.versionlock != after.versionlock:
        locks = [" ".join(lock) or "nothing" for lock in (before.versionlock, after.versionlock)]
        yield Step(f"exchange the versionlock {locks[0]} for {locks[1]}", "EL 10 has no streams, so the lock holds it")


def _other_majors(old: Resolution, new: Resolution) -> Iterator[Step]:
    """DCGM follows the CUDA major of the driver."""
    before, after = ({package.name for package in end.of("dcgm")} for end in (old, new))
    if before != after:
        gone, come = (", ".join(sorted(names)) or "nothing" for names in (before - after, after - before))
        yield Step(
            f"replace {gone} by {come}",
            "DCGM's packages follow the CUDA major that the driver brings",
        )


def _reboots(old: Resolution, new: Resolution, hardware: Hardware, matrix: Matrix) -> Iterator[str]:
    """Coherent GPUs without CDMM have their memory online as NUMA nodes, which unloading may not take back."""
    if old.driver != new.driver and coherent(hardware, matrix) and CDMM not in old.module_options:
        yield f"driver {old.driver.version if old.driver else ''} has the GPUs' memory online as NUMA nodes of the host"


def _names(end: Resolution) -> list[str]:
    packages: list[Package] = [*(end.driver.packages if end.driver else ()), *end.packages]
    return [package.name for package in packages if package.component != "dcgm"]


def _text(package: Package) -> str:
    return f"{package.name} {package.version}".strip()


def _name(text: str) -> str:
    return text.partition(" ")[0]
