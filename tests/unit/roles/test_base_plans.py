"""Plans of the role base: a fresh host, a converged one, and options that turn things round."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import pytest
from pyinfra.facts.files import Directory, File, FindInFile, Sha1File
from pyinfra.facts.systemd import SystemdStatus

from gpufleet.facts import apt, rpm
from gpufleet.facts.apt import HeldPackages
from gpufleet.facts.boot import RebootRequired
from gpufleet.facts.cpu import GOVERNOR_FILES, CpuGovernors
from gpufleet.facts.dnf import LOCK_LIST, LockedVersions
from gpufleet.facts.family import DEBIAN, EL, OsFamily
from gpufleet.facts.initramfs import StaleImages
from gpufleet.facts.kernel import LoadedModules, RunningKernel
from gpufleet.facts.naming import Names, Naming
from gpufleet.facts.packages import InstalledVersions
from gpufleet.facts.swap import Swap, SwapState
from gpufleet.facts.sysctl import SysctlValues
from gpufleet.facts.units import ManagerProperties, UnitState, UnitStates
from gpufleet.operations.files import render
from roles.base.deploy import base
from roles.base.families import FAMILIES
from roles.base.limits import manager_properties
from roles.base.nouveau import BLACKLIST
from roles.base.options import SYSCTL, Base, Limits
from tests.support.plans import HOST, assert_plan, plan

KERNEL = "6.1.0-50-amd64"
IMAGES = ("linux-image-amd64", f"linux-image-{KERNEL}")
OWNED = {"user": "root", "group": "root"}
#: Directories for drop-ins that a fresh Debian has.
DIRECTORIES = (
    *("/etc", "/etc/apt/apt.conf.d", "/etc/modules-load.d", "/etc/sysctl.d", "/etc/modprobe.d"),
    *("/etc/security/limits.d", "/etc/systemd/system"),
)
STOCK = ("127.0.0.1\tlocalhost", "::1\tlocalhost ip6-localhost ip6-loopback")


def units(known: dict[str, UnitState]) -> Any:
    """Answer for the units that are asked about; others do not exist."""

    def answer(units: Sequence[str]) -> dict[str, UnitState]:
        return {unit: known.get(unit, UnitState()) for unit in units}

    return answer


def written(path: str) -> str:
    """Answer with the hash of a drop-in as the default options make it."""
    if path in {"/etc/hosts", LOCK_LIST}:
        return ""
    options = Base.model_validate({})
    text = render(
        path,
        modules=options.modules,
        values=options.sysctl_text,
        limits=Limits(),
        properties=manager_properties(Limits()),
        governor="performance",
        files=GOVERNOR_FILES,
        blacklist=BLACKLIST,
        servers=[],
    )
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


RUNNING = UnitState("loaded", "active", "enabled")
FRESH: dict[Any, Any] = {
    Directory: lambda path: OWNED | {"mode": 755} if path in DIRECTORIES else None,
    OsFamily: DEBIAN,
    RunningKernel: KERNEL,
    apt.InstalledVersions: dict.fromkeys(IMAGES, "6.1.176-1"),
    InstalledVersions: dict.fromkeys(IMAGES, "6.1.176-1"),
    UnitStates: units({"apt-daily.timer": RUNNING, "apt-daily-upgrade.timer": RUNNING, "chrony.service": RUNNING}),
    SysctlValues: dict.fromkeys(SYSCTL, "1"),
    StaleImages: [KERNEL],
    LoadedModules: {"nouveau": ""},
    SystemdStatus: {"chrony.service": True},
    SwapState: Swap(("/dev/sda2",), ("/dev/sda2 none swap sw 0 0",), ("dev-sda2.swap", "swap.target")),
    CpuGovernors: {"powersave": 128},
    Naming: Names("localhost", "localhost", STOCK),
}
CONVERGED: dict[Any, Any] = FRESH | {
    Directory: OWNED | {"mode": 755},
    File: OWNED | {"mode": 644},
    Sha1File: written,
    InstalledVersions: {**FRESH[InstalledVersions], "chrony": "4.3-2"},
    HeldPackages: set(IMAGES),
    UnitStates: units(
        {name: UnitState("masked", "inactive", "masked") for name in FAMILIES[DEBIAN].upgraders}
        | dict.fromkeys(("chrony.service", "gpufleet-cpu-governor.service"), RUNNING)
    ),
    LoadedModules: {"overlay": "", "br_netfilter": ""},
    SysctlValues: {key: str(value) for key, value in SYSCTL.items()},
    StaleImages: [],
    ManagerProperties: manager_properties(Limits()),
    SwapState: Swap(),
    CpuGovernors: {"performance": 128},
    Naming: Names(HOST, HOST, ("# gpufleet: begin", f"127.0.1.1\t{HOST}", "# gpufleet: end", *STOCK)),
}
OTHERWISE = {
    "hold_kernel": False,
    "modules": [],
    "sysctl": {"vm.overcommit_memory": 1, "net.ipv4.tcp_rmem": "4096 \t131072  6291456"},
    "limits": {"memlock": 65536, "nofile": 65536},
    "swap": "untouched",
    "cpu_governor": "untouched",
    "time": {"servers": ["10.20.0.1", "ntp.fleet.internal"]},
    "names": {"hostname": "gpu-07.fleet.internal", "address": "10.0.0.7", "hosts": {"10.0.0.1": ["api", "head"]}},
}
EL_KERNEL = "5.14.0-570.17.1.el9_6.x86_64"
EL_PACKAGES = dict.fromkeys(("kernel", "kernel-core", "kernel-modules"), "5.14.0-570.17.1.el9_6")
EL_FRESH: dict[Any, Any] = FRESH | {
    OsFamily: EL,
    RunningKernel: EL_KERNEL,
    InstalledVersions: EL_PACKAGES,
    rpm.InstalledVersions: lambda packages: {name: EL_PACKAGES[name] for name in packages if name in EL_PACKAGES},
    UnitStates: units({"dnf-makecache.timer": RUNNING, "chronyd.service": RUNNING}),
    SystemdStatus: {"chronyd.service": True},
    StaleImages: [EL_KERNEL],
}
EL_CONVERGED: dict[Any, Any] = CONVERGED | {
    OsFamily: EL,
    RunningKernel: EL_KERNEL,
    InstalledVersions: EL_PACKAGES | {"chrony": "4.6.1-1.el9"},
    rpm.InstalledVersions: EL_PACKAGES | {"python3-dnf-plugin-versionlock": "4.3.0-20.el9"},
    LockedVersions: EL_PACKAGES,
    UnitStates: units(
        {name: UnitState("masked", "inactive", "masked") for name in FAMILIES[EL].upgraders}
        | dict.fromkeys(("chronyd.service", "gpufleet-cpu-governor.service"), RUNNING)
    ),
}
CASES: dict[str, tuple[dict[Any, Any], dict[str, Any]]] = {
    "fresh": (FRESH, {}),
    "converged": (CONVERGED, {}),
    "otherwise": (CONVERGED | {FindInFile: ["pool 2.debian.pool.ntp.org iburst"]}, {"base": OTHERWISE}),
    "nouveau_waits_for_a_reboot": (
        CONVERGED | {LoadedModules: CONVERGED[LoadedModules] | {"nouveau": ""}, RebootRequired: {"nouveau": "x"}},
        {},
    ),
    "nouveau_is_gone": (CONVERGED | {RebootRequired: {"nouveau": "x"}}, {}),
    "el_fresh": (EL_FRESH, {}),
    "el_converged": (EL_CONVERGED, {}),
    "el_otherwise": (
        EL_CONVERGED | {FindInFile: ["pool 2.rocky.pool.ntp.org iburst"]},
        {"base": OTHERWISE},
    ),
    "unknown_family": (FRESH | {OsFamily: ""}, {}),
    "no_cpufreq_and_no_such_key": (CONVERGED | {CpuGovernors: {}, SysctlValues: {}}, {}),
}


@pytest.mark.parametrize("case", CASES)
def test_plan(case: str) -> None:
    assert_plan("base", case, plan(base, *CASES[case]))
