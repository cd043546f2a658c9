"""Plans of the role infiniband: who provides the stack, names, limits, PCI Express, arguments, and what is refused."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from gpufleet.facts.boot_loader import BootLoader, BootLoaderArguments
from gpufleet.facts.hardware import NvlinkBridges
from gpufleet.facts.machine import HostMachine, Machine
from gpufleet.facts.memlock import Memlock, ServiceMemlock
from gpufleet.facts.ofed import Build, DkmsBuilds, HasUninstaller, ReplacedModules
from gpufleet.facts.pcie import AcsControls, DeviceControl, DeviceControls
from gpufleet.facts.rdma import RdmaAdapters, RdmaDevice, RdmaDevices, RdmaUsers
from gpufleet.stack.machine import Hardware
from roles.infiniband.deploy import infiniband
from tests.support.companion_world import CompanionWorld, companion_plan
from tests.support.driver_facts import kernel_of, system_of, without_noops
from tests.support.plans import assert_plan

ROLE, RELEASE = "infiniband", "ubuntu-24.04"
FIRST, SECOND, BRIDGE = "0000:18:00.0", "0000:3b:00.0", "0000:05:00.0"
KEY = "0123456789ABCDEF0123456789ABCDEF01234567"
PINNED = {"stack": {"repositories": {"doca": {"key_fingerprint": KEY}}}}
VERSIONS = {"doca-ofed": "3.2.3-019000", "pciutils": "1:3.10.0-2"}


@dataclass
class RdmaWorld(CompanionWorld):
    """A host with two adapters."""

    names: dict[str, str] = field(default_factory=dict)
    #: Bridges above GPUs and adapters, and the control word of each adapter, until the unit runs.
    acs: dict[str, int] = field(default_factory=dict)
    control: int = 0x2936
    arguments: list[str] = field(default_factory=list)

    def offered(self, package: str) -> list[str]:
        if package.startswith("doca"):
            return ["3.2.2-035000" if self.is_el else VERSIONS[package]]
        return [VERSIONS.get(package, "50.0-2")]

    def run(self, command: str) -> None:
        words = command.replace("'", "").split()
        if words[:2] == ["chmod", "755"]:
            self.modes[words[2]] = 755
        elif words[0].endswith("/rdma-name.sh"):
            self.names[words[1]] = words[2]
        elif command in ("systemctl restart gpufleet-pcie.service", "systemctl enable --now gpufleet-pcie.service"):
            self.acs, self.control = dict.fromkeys(self.acs, 0), 0x5936
            super().run("systemctl enable gpufleet-pcie.service")
            super().run("systemctl start gpufleet-pcie.service")
        else:
            super().run(command)

    def _bring(self, name: str, release: str) -> None:
        super()._bring(name, release)
        if name == "doca-ofed":
            self.built["mlnx-ofa_kernel" if self.is_el else "mlnx-ofed-kernel"] = "25.10"


def plan(
    world: RdmaWorld, data: dict[str, Any], release: str = RELEASE, machine: str = "hgx-h100", **given: Any
) -> str:
    changes = {
        RdmaAdapters: [BRIDGE, FIRST, SECOND],
        NvlinkBridges: [BRIDGE],
        RdmaDevices: lambda: [RdmaDevice(name, pci) for pci, name in world.names.items()],
        AcsControls: lambda: world.acs,
        DeviceControls: lambda: [DeviceControl(FIRST, "15b3:1021", world.control)],
        **given.pop("changes", {}),
    }
    return companion_plan(infiniband, world, release, machine, data, changes=changes)


def world(release: str = RELEASE, **given: Any) -> RdmaWorld:
    return RdmaWorld(is_el=release.startswith("el"), **given)


@pytest.mark.parametrize("release", ["ubuntu-24.04", "debian-13", "el-9"])
def test_inbox(release: str) -> None:
    found = world(release)
    assert_plan(ROLE, f"inbox_{release}", without_noops(plan(found, {ROLE: {}}, release)))
    assert without_noops(plan(found, {ROLE: {}}, release)) == ""


@pytest.mark.parametrize("release", ["ubuntu-24.04", "el-9"])
def test_doca(release: str) -> None:
    found, data = world(release), {ROLE: {"provider": "doca"}, **PINNED}
    assert_plan(ROLE, f"doca_{release}", without_noops(plan(found, data, release)))
    assert without_noops(plan(found, data, release)) == ""


@pytest.mark.parametrize("release", ["ubuntu-24.04", "el-9"])
def test_back_to_the_distributions(release: str) -> None:
    found = world(release)
    plan(found, {ROLE: {"provider": "doca"}, **PINNED}, release)
    text = plan(found, {ROLE: {"provider": "inbox"}, **PINNED}, release, changes={HasUninstaller: True})
    assert_plan(ROLE, f"back_{release}", _from(without_noops(text), "Remove other", "Install the network"))
    assert without_noops(plan(found, {ROLE: {"provider": "inbox"}}, release)) == ""


@pytest.mark.parametrize(
    ("case", "machine", "release", "data"),
    [
        ("no_key", "hgx-h100", RELEASE, {}),
        ("no_adapters", "l40s-pcie", RELEASE, {ROLE: {}}),
        ("no_doca_on_debian_13", "hgx-h100", "debian-13", {ROLE: {"provider": "doca"}}),
        ("no_doca_without_adapters", "cpu-only", "debian-13", {ROLE: {"provider": "doca"}}),
        ("no_fingerprint", "hgx-h100", RELEASE, {ROLE: {"provider": "doca"}}),
        ("two_wishes", "hgx-h100", RELEASE, {ROLE: {"provider": "inbox", "version": "3.2.3"}}),
    ],
)
def test_nothing_or_refused(case: str, machine: str, release: str, data: dict[str, Any]) -> None:
    found = world(release)
    assert_plan(ROLE, case, plan(found, data, release, machine))
    assert found.installed == {}


def test_older_stack_goes_first() -> None:
    found = world(installed={"mlnx-ofed-all": "24.10-4.1.4.0"})
    text = plan(found, {ROLE: {"provider": "doca"}, **PINNED}, changes={HasUninstaller: True})
    assert_plan(ROLE, "older_stack", text[text.index("InfiniBand | Remove") : text.index("InfiniBand | Install dkms")])


def test_driver_is_built_again_after_the_stack() -> None:
    builds = [Build("nvidia", "580.105.08", 100)]
    stack = [Build("mlnx-ofed-kernel", "25.10", 200)]
    changes = {DkmsBuilds: lambda modules, kernel: builds if "nvidia*" in modules else stack}
    text = plan(world(), {ROLE: {"provider": "doca"}, **PINNED}, changes={**changes, ReplacedModules: ["ib_core"]})
    text = text[text.index("InfiniBand | Build the NVIDIA") : text.index("InfiniBand | Write the program that names")]
    assert_plan(ROLE, "driver_rebuilt", text)
    builds[0] = replace(builds[0], built=300)
    text = plan(world(), {ROLE: {"provider": "doca"}, **PINNED}, changes=changes)
    assert "nothing to do: no build of the driver is older than that of mlnx-ofed-kernel" in text


def test_names_of_devices() -> None:
    data = {ROLE: {"names": {FIRST: "mlx5_1", SECOND: "mlx5_0"}}}
    swapped = {FIRST: "mlx5_0", SECOND: "mlx5_1"}
    busy = plan(world(names=dict(swapped)), data, changes={RdmaUsers: ["process 4242 (train-job)"]})
    assert_plan(ROLE, "names_in_use", _from(busy, "Write udev's rules", "List the modules"))
    found = world(names=dict(swapped))
    assert_plan(ROLE, "names", _from(plan(found, data), "Call RDMA devices", "List the modules"))
    assert found.names == {FIRST: "mlx5_1", SECOND: "mlx5_0"}
    assert without_noops(plan(found, data)) == ""
    text = without_noops(plan(found, {ROLE: {"names": "untouched"}}))
    assert_plan(ROLE, "names_untouched", text)


def test_limits_of_services_that_run() -> None:
    limits = {"containerd.service": Memlock("8388608", 812, "8388608"), "slurmd.service": Memlock("unlimited")}
    text = plan(world(), {ROLE: {}}, changes={ServiceMemlock: lambda units: limits})
    assert_plan(ROLE, "limits", _from(text, "Let services lock", "Install setpci"))


def test_limit_in_bytes() -> None:
    data = {ROLE: {"memlock": {"limit": 65536, "services": ["x@1.service"]}}}
    assert_plan(ROLE, "limit_in_bytes", _from(plan(world(), data), "Declare what", "Install setpci"))


def test_pci_express() -> None:
    settings = {"15b3:1021": {"max_read_request": 4096, "relaxed_ordering": True}, "15b3:a2dc": {}}
    data = {ROLE: {"pcie": settings}}
    found = world(acs={"0000:17:01.0": 0x1D})
    assert_plan(ROLE, "pci_express", _from(plan(found, data), "Install setpci", "Ask the boot loader"))
    found.acs, found.control = {"0000:17:01.0": 0x1D}, 0x2936
    assert_plan(ROLE, "pci_express_forgotten", without_noops(plan(found, data)))
    assert without_noops(plan(found, data)) == ""
    assert_plan(ROLE, "pci_express_goes", without_noops(plan(found, {ROLE: {"acs": "untouched"}})))
    assert without_noops(plan(found, {ROLE: {"acs": "untouched"}})) == ""


def test_acs_stays_where_bridges_are_not_the_machines_own() -> None:
    hardware = Hardware(gpus=("2330",) * 8, rdma_adapters=8, platform="azure-nd-v5", kernel=kernel_of(RELEASE))
    changes = {Machine: HostMachine(system_of(RELEASE), hardware)}
    assert "gpufleet-pcie" not in without_noops(plan(world(), {ROLE: {}}, changes=changes))


@pytest.mark.parametrize(
    ("case", "release", "options", "loader"),
    [
        ("arguments_grub", "debian-13", {"iommu": "passthrough"}, BootLoader("update-grub", (), (("quiet",),))),
        (
            "arguments_grubby",
            "el-9",
            {"iommu": "off", "kernel_arguments": ["pci=disable_acs_redir=pci:15b3:1976"]},
            BootLoader("grubby", ("iommu=pt",), (("quiet", "iommu=pt"),), ("quiet", "iommu=pt")),
        ),
        ("arguments_withdrawn", "debian-13", {}, BootLoader("update-grub", ("iommu=pt",), (("iommu=pt",),))),
        (
            "arguments_there",
            "debian-13",
            {"iommu": "passthrough"},
            BootLoader("update-grub", ("iommu=pt",), (("quiet", "iommu=pt"),), ("quiet", "iommu=pt")),
        ),
        ("arguments_new_kernel", "el-9", {"iommu": "passthrough"}, BootLoader("grubby", ("iommu=pt",), (("quiet",),))),
        ("arguments_no_loader", "debian-13", {"iommu": "passthrough"}, BootLoader()),
    ],
)
def test_arguments_of_the_kernel(case: str, release: str, options: dict[str, Any], loader: BootLoader) -> None:
    text = plan(world(release), {ROLE: options}, release, changes={BootLoaderArguments: lambda key: loader})
    assert_plan(ROLE, case, text[text.index("InfiniBand | Ask the boot loader") :])


def _from(text: str, first: str, end: str) -> str:
    return text[text.index(f"InfiniBand | {first}") : text.index(f"InfiniBand | {end}")]
