"""Checks of the role `container_toolkit`: one release, its runtime in force, and devices that stay with their pods."""

from __future__ import annotations

import pytest

from gpufleet.containers.gpu_devices import SPECIFICATION, Devices, differences
from gpufleet.facts.containerd import UNIT as CONTAINERD
from gpufleet.facts.containerd import ConfigTrial
from gpufleet.facts.gpu_containers import GpuContainers
from gpufleet.facts.gpu_daemons import GpuDaemonState
from gpufleet.facts.gpu_devices import DeviceLinks, GpuDevices, GpuSpecifications
from gpufleet.facts.packages import InstalledVersions
from gpufleet.health import Probe, unproven
from gpufleet.operations.files import render
from gpufleet.operations.nvidia_runtime import NAME, PROGRAM
from gpufleet.stack.container_toolkit_choice import PACKAGES, refreshes
from roles.container_toolkit.options import ContainerToolkit
from roles.container_toolkit.steps import (
    CONFIGURATION,
    DROP_IN,
    LINKS,
    RULE,
    UNIT,
    UNIT_FILE,
    WATCH,
    configuration_context,
    unit_context,
    version,
)
from tests.verify import toolkit_readings
from tests.verify.companion_readings import Companion, Declared
from tests.verify.toolkit_readings import driver_of, releases, runtime

PROBE = toolkit_readings.PROBE
PROBE_TIMEOUT = 90


@pytest.fixture
def found(probe: Probe, declared: Declared) -> Companion:
    """Read the host."""
    return Companion.read(probe, declared, ContainerToolkit.key, "toolkit")


@pytest.fixture
def options(found: Companion, declared: Declared) -> ContainerToolkit | None:
    """Options of a host that is to have the toolkit, none of any other."""
    given: ContainerToolkit = declared(ContainerToolkit)
    return given if found.wanted else None


@pytest.fixture
def devices(probe: Probe, found: Companion) -> Devices:
    """What the driver lists; unproven where it waits for a reboot."""
    listed = GpuDevices().process(probe["devices"].lines)
    if found.wanted and found.waits:
        unproven(f"devices: expected those of the driver, found that it waits for a reboot: {found.waits}")
    return listed


def test_stack_fits(found: Companion) -> None:
    said = found.says_what_does_not_fit()
    assert not said, f"container toolkit: expected a stack that fits, found {said}"


def test_packages_are_one_release(found: Companion) -> None:
    said = found.says_versions()
    assert not said, f"container toolkit: {said}"


def test_packages_are_held(found: Companion) -> None:
    said = found.says_holds()
    assert not said, f"container toolkit: {said}"


def test_programs_are_that_release(probe: Probe, found: Companion) -> None:
    """A program of another installation may lie before the package's."""
    if found.chosen and found.wanted:
        wanted = version(found.chosen)
        wrong = [f"{name} {said}" for name, said in releases(probe["programs"].lines).items() if said != wanted]
        assert not wrong, f"container toolkit: expected its programs to be {wanted}, found {', '.join(wrong)}"


def test_configuration_is_as_declared(probe: Probe, options: ContainerToolkit | None) -> None:
    if options:
        expected = render(CONFIGURATION, **configuration_context(options)).splitlines()
        there = probe["configuration"].lines
        missing = [line for line in expected if line not in there]
        said = f"no {missing[0]!r}" if missing else "more than that"
        assert list(there) == expected, f"/{CONFIGURATION}: expected the declared file, found {said}"


def test_runtime_is_declared(probe: Probe, options: ContainerToolkit | None) -> None:
    """What containerd makes of all of its files, as others may say something else after ours."""
    if options:
        there, default = runtime(ConfigTrial().process(probe["trial"].lines).dump)
        program = there.get("options", {}).get("BinaryName", "none")
        assert program == PROGRAM, f"containerd: expected the runtime {NAME} by {PROGRAM}, found {program}"
        wanted = default == NAME if options.default_runtime else default != NAME
        expected = NAME if options.default_runtime else f"another one than {NAME}"
        assert wanted, f"containerd: expected {expected} as the default runtime, found {default}"


def test_containerd_runs_with_it(probe: Probe, options: ContainerToolkit | None) -> None:
    daemon = GpuDaemonState().process(probe["containerd"].lines)
    state = f"one that started before /{DROP_IN} changed" if daemon.is_stale else daemon.state.active
    is_it = daemon.state.is_running and not daemon.is_stale
    assert options is None or is_it, f"{CONTAINERD}: expected it to run with the runtime, found {state}"


def test_toolkit_reaches_the_driver(probe: Probe, devices: Devices, options: ContainerToolkit | None) -> None:
    said = driver_of(probe["driver"].text)
    expected = devices.driver or "a loaded driver"
    assert options is None or said == devices.driver, f"nvidia-container-cli: expected driver {expected}, found {said}"


def test_unit_describes_the_devices_at_boot(found: Companion, options: ContainerToolkit | None) -> None:
    if options:
        said = found.says_unit(UNIT, "active and enabled") or found.says_order(
            UNIT, ["nvidia-persistenced.service"], ["containerd.service", "kubelet.service"]
        )
        assert not said, f"{UNIT}: {said}"


def test_unit_and_rule_are_as_declared(probe: Probe, found: Companion, options: ContainerToolkit | None) -> None:
    if options and found.chosen:
        files = {
            LINKS: ("links program", render(LINKS)),
            UNIT_FILE: ("unit file", render(UNIT_FILE, **unit_context(found.chosen))),
            RULE: ("rule", render(RULE, unit=UNIT)),
        }
        wrong = [f"/{path}" for path, (section, text) in files.items() if probe[section].text != text.strip()]
        assert not wrong, f"container toolkit: expected the declared files, found others: {', '.join(wrong)}"


def test_other_drivers_are_noticed(found: Companion, options: ContainerToolkit | None) -> None:
    if options and found.chosen and refreshes(version(found.chosen)):
        said = found.says_unit(WATCH, "active and enabled")
        assert not said, f"{WATCH}: {said}"


def test_specification_is_of_the_driver_and_its_devices(
    probe: Probe, devices: Devices, options: ContainerToolkit | None
) -> None:
    if options:
        wrong = list(differences(GpuSpecifications().process(probe["specifications"].lines), devices))
        expected = f"driver {devices.driver or 'none'} and its {len(devices.names)} devices"
        cure = f"deploy the role, or run `systemctl restart {UNIT}`"
        assert not wrong, f"{SPECIFICATION}: expected {expected}, found {'; '.join(wrong)}; {cure}"


def test_nobody_else_describes_the_devices(probe: Probe, options: ContainerToolkit | None) -> None:
    """A file that somebody once wrote names devices that are gone, and none refreshes it."""
    others = [path for path in GpuSpecifications().process(probe["specifications"].lines) if path != SPECIFICATION]
    said = f"{', '.join(others)} too; remove it"
    assert options is None or not others, f"{SPECIFICATION}: expected it to be the only one of the GPUs, found {said}"


def test_devices_are_linked(probe: Probe, options: ContainerToolkit | None) -> None:
    """Without links systemd takes devices from running pods at its next reload."""
    links = DeviceLinks().process(probe["links"].lines)
    if options:
        assert links.nodes, "/dev: expected device nodes of NVIDIA's driver, found none"
        cure = f"deploy the role, or run `systemctl restart {UNIT}`"
        said = f"found none to {', '.join(links.missing)}; {cure}"
        assert not links.missing, f"/dev/char: expected links that lead to every device, {said}"


def test_containers_keep_their_devices(probe: Probe, options: ContainerToolkit | None) -> None:
    """Those of which systemd knows nothing go at `systemctl daemon-reload`: "Failed to initialize NVML: Unknown Error".

    A container that has lost them already is found as well, as its nodes are still there.
    """
    if options:
        containers = GpuContainers().process(probe["containers"].lines)
        losing = {container.unit: container.losing for container in containers if container.losing}
        said = "; ".join(f"{unit} loses {', '.join(paths)}" for unit, paths in losing.items())
        cure = "start its pod again, with the runtime's mode not legacy or with devices that the plugin passes"
        assert not losing, f"containers: expected devices that survive a reload of systemd, found {said}; {cure}"


def test_nothing_where_none_belongs(probe: Probe, found: Companion, declared: Declared) -> None:
    """A host without a GPU keeps what it has unless it is told to have none."""
    if found.chosen is not None and declared(ContainerToolkit).state == "absent":
        installed = InstalledVersions().process(probe["packages"].lines)
        left = [name for name in PACKAGES if name in installed]
        files = {DROP_IN: "drop-in", CONFIGURATION: "configuration", UNIT_FILE: "unit file", RULE: "rule"}
        files[LINKS] = "links program"
        left += [f"/{path}" for path, section in files.items() if probe[section].text]
        left += [path for path in GpuSpecifications().process(probe["specifications"].lines) if path == SPECIFICATION]
        assert not left, f"container toolkit: expected nothing of it, found {', '.join(left)}"
