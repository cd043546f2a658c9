"""Checks of the role `base`: what the host does, held against what the inventory declares."""

from __future__ import annotations

from collections.abc import Callable

from testinfra.host import Host

from gpufleet.facts.cpu import CpuGovernors
from gpufleet.facts.family import DEBIAN, EL, OsFamily
from gpufleet.facts.naming import Naming
from gpufleet.facts.packages import HeldPackages, InstalledVersions, LockedVersions
from gpufleet.facts.swap import SwapState
from gpufleet.health import Probe, unproven
from gpufleet.operations.naming import LOCALHOST, names_localhost
from roles.base.limits import manager_properties
from roles.base.names import entries
from roles.base.options import Base
from roles.base.packages import kernel_packages
from roles.base.power import UNIT
from tests.verify.base_readings import PROBE, assert_limit, family, settings, states

__all__ = ["PROBE"]

Declared = Callable[[type[Base]], Base]

#: Seconds that chrony may need for its first measurements.
SETTLING_SECONDS = 60


def test_kernel_is_held(probe: Probe, declared: Declared) -> None:
    installed = InstalledVersions().process(probe["installed"].lines)
    wishes = kernel_packages(installed, probe["kernel"].text, OsFamily().process(probe["family"].lines))
    kernel = [wish.partition("=")[0] for wish in wishes]
    held = HeldPackages().process(probe["held"].lines)
    expected = kernel if declared(Base).hold_kernel else []
    found = [name for name in kernel if name in held]
    assert found == expected, f"packages on hold: expected {expected}, found {found}"
    assert kernel, "kernel packages: expected at least the running kernel's, found none"


def test_kernel_is_locked_to_the_running_one(probe: Probe, declared: Declared) -> None:
    if OsFamily().process(probe["family"].lines) == EL and declared(Base).hold_kernel:
        locked = LockedVersions().process(probe["locked"].lines)
        installed = InstalledVersions().process(probe["installed"].lines)
        wishes = kernel_packages(installed, probe["kernel"].text, EL)
        found = [f"{name}={locked.get(name)}" for name in (wish.partition("=")[0] for wish in wishes)]
        assert found == wishes, f"packages locked: expected {wishes}, found {found}"


def test_apt_does_nothing_by_itself(probe: Probe) -> None:
    if OsFamily().process(probe["family"].lines) != DEBIAN:
        return
    found = settings(probe["apt"].text, " ")
    work = {key: value for key, value in found.items() if key.startswith("APT::Periodic::") and value != '"0";'}
    assert not work, f"apt settings: expected every APT::Periodic at 0, found {work}"
    assert found.get("APT::Periodic::Enable") == '"0";', (
        "apt settings: expected APT::Periodic::Enable at 0, found it unset"
    )


def test_nothing_starts_upgrades(probe: Probe) -> None:
    for name in family(probe).upgraders:
        unit = states(probe)[name]
        assert unit.is_masked, f"{name}: expected it masked, found {unit.load} ({unit.file or 'no file'})"
        assert not unit.is_running, f"{name}: expected it stopped, found it {unit.active}"


def test_modules_are_loaded(probe: Probe, declared: Declared) -> None:
    found = {name.replace("-", "_") for name in probe["modules"].lines}
    missing = [module for module in declared(Base).modules if module.replace("-", "_") not in found]
    assert not missing, f"kernel modules: expected {declared(Base).modules} loaded, found no {missing}"


def test_modules_load_at_boot(probe: Probe, declared: Declared) -> None:
    found = [line for line in probe["modules at boot"].lines if not line.startswith("#")]
    expected = declared(Base).modules
    assert found == expected, f"/etc/modules-load.d/gpufleet.conf: expected {expected}, found {found}"


def test_sysctl_drop_in_is_as_declared(probe: Probe, declared: Declared) -> None:
    found, expected = settings(probe["sysctl at boot"].text, "="), declared(Base).sysctl_text
    missing = [f"{key} = {value}" for key, value in expected.items() if found.get(key) != value]
    extra = [f"{key} = {value}" for key, value in found.items() if expected.get(key) != value]
    assert not missing + extra, f"/etc/sysctl.d/60-gpufleet.conf: expected {missing}, found {extra}"


def test_sysctl_values_are_in_force(probe: Probe, declared: Declared) -> None:
    found = settings(probe["sysctl"].text, "=")
    for key, expected in declared(Base).sysctl_text.items():
        value = found.get(key, expected)
        assert value == expected, f"sysctl {key}: expected {expected}, found {value}"


def test_sysctl_keys_exist(probe: Probe, declared: Declared) -> None:
    found = settings(probe["sysctl"].text, "=")
    missing = [key for key in declared(Base).sysctl_text if key not in found]
    if missing:
        unproven(f"sysctl: expected every declared key, found none of {', '.join(missing)} on this kernel")


def test_login_memlock(probe: Probe, declared: Declared) -> None:
    assert_limit(probe, "login limits", "memlock", declared(Base).limits.memlock)


def test_login_nofile(probe: Probe, declared: Declared) -> None:
    assert_limit(probe, "login limits", "nofile", declared(Base).limits.nofile)


def test_service_memlock(probe: Probe, declared: Declared) -> None:
    assert_limit(probe, "service limits", "memlock", declared(Base).limits.memlock)


def test_service_nofile(probe: Probe, declared: Declared) -> None:
    assert_limit(probe, "service limits", "nofile", declared(Base).limits.nofile)


def test_login_limits_are_written(probe: Probe, declared: Declared) -> None:
    found = [line for line in probe["login limits at rest"].lines if not line.startswith("#")]
    limits = declared(Base).limits
    expected = [f"{who} - {name} {value}" for who in ("*", "root") for name, value in limits.model_dump().items()]
    assert found == expected, f"/etc/security/limits.d/60-gpufleet.conf: expected {expected}, found {found}"


def test_service_limits_are_written(probe: Probe, declared: Declared) -> None:
    found, expected = settings(probe["service limits at rest"].text, "="), manager_properties(declared(Base).limits)
    assert found == expected, f"/etc/systemd/system.conf.d/60-gpufleet.conf: expected {expected}, found {found}"


def test_swap_is_off(probe: Probe, declared: Declared) -> None:
    if declared(Base).swap == "off":
        swap = SwapState().process(probe["swap"].lines)
        assert not swap.active, f"swap: expected none in use, found {', '.join(swap.active)}"


def test_swap_stays_off(probe: Probe, declared: Declared) -> None:
    if declared(Base).swap == "off":
        swap = SwapState().process(probe["swap"].lines)
        assert not swap.fstab, f"/etc/fstab: expected no swap in force, found {', '.join(swap.fstab)}"
        assert not swap.units, f"swap units: expected all masked, found {', '.join(swap.units)}"


def test_cpu_governor(probe: Probe, declared: Declared) -> None:
    expected, found = declared(Base).cpu_governor, CpuGovernors().process(probe["governors"].lines)
    if expected != "untouched":
        if not found:
            unproven(f"CPU governor: expected {expected}, found no cpufreq on this host")
        assert set(found) == {expected}, f"CPU governor: expected {expected}, found processors by governor {found}"


def test_cpu_governor_is_set_at_boot(probe: Probe, declared: Declared) -> None:
    if declared(Base).cpu_governor != "untouched":
        unit = states(probe)[UNIT]
        assert unit.is_enabled, f"{UNIT}: expected it enabled, found {unit.file or unit.load}"
        assert unit.is_running, f"{UNIT}: expected it active, found {unit.active}"


def test_chrony_runs(probe: Probe) -> None:
    name = family(probe).chrony_unit
    unit = states(probe)[name]
    assert unit.is_running, f"{name}: expected it active, found {unit.active} ({unit.load})"
    assert unit.is_enabled, f"{name}: expected it enabled, found {unit.file or unit.load}"


def test_chrony_asks_the_declared_servers(probe: Probe, declared: Declared) -> None:
    found = [
        words[1] for line in probe["time servers"].lines if (words := line.split())[0] in ("server", "pool", "peer")
    ]
    if expected := [str(server) for server in declared(Base).time.servers]:
        assert found == expected, f"time servers: expected {expected}, found {found}"
    assert found, "time servers: expected at least one, found none"


def test_time_is_synchronized(probe: Probe) -> None:
    status = probe["time"].text.rpartition(",")[2]
    if status in ("Not synchronised", ""):
        sources = [line.split(",") for line in probe["time sources"].lines]
        answering = [source[2] for source in sources if source[5] != "0"]
        if not answering:
            asked = ", ".join(source[2] for source in sources) or "no server whose name resolves"
            unproven(f"time: expected it synchronized, found no answer from any server; asked {asked}")
        if int(probe["time running"].text or 0) < SETTLING_SECONDS:
            unproven(f"time: expected it synchronized, found chrony started {probe['time running'].text.strip()} s ago")
    assert status == "Normal", f"time: expected status Normal, found {status or 'no answer of chrony'}"


def test_nouveau_is_blacklisted(probe: Probe) -> None:
    found = sorted(line for line in probe["modprobe"].lines if line.split()[:2] == ["blacklist", "nouveau"])
    assert found, "modprobe: expected `blacklist nouveau`, found no such line"


def test_nouveau_is_blacklisted_in_every_initramfs(probe: Probe) -> None:
    kernels = [line.split() for line in probe["initramfs"].lines]
    lacking = [f"{kernel} {state} it" for kernel, state in kernels if state != "contains"]
    if not kernels:
        unproven("initramfs: expected the blacklist of nouveau in it, found no initramfs on this host")
    assert not lacking, f"initramfs: expected the blacklist of nouveau in each, found {lacking}"


def test_nouveau_is_not_loaded(probe: Probe) -> None:
    assert "nouveau" not in probe["modules"].lines, "kernel modules: expected no nouveau, found it loaded"


def test_host_name(probe: Probe, declared: Declared, host: Host) -> None:
    names = Naming().process(probe["names"].lines)
    expected = declared(Base).names.hostname or host.backend.get_hostname()
    assert names.live == expected, f"host name: expected {expected}, found {names.live}"
    assert names.at_boot == expected, f"/etc/hostname: expected {expected}, found {names.at_boot}"


def test_hosts_file(probe: Probe, declared: Declared, host: Host) -> None:
    options, found = declared(Base).names, Naming().process(probe["names"].lines).hosts
    missing = [line for line in entries(options, options.hostname or host.backend.get_hostname()) if line not in found]
    assert not missing, f"/etc/hosts: expected {missing}, found no such line"
    for address in LOCALHOST:
        assert names_localhost(found, address), f"/etc/hosts: expected localhost at {address}, found no such line"
