"""Checks of the role `infiniband`: stack and modules, devices and ports, limits, the way between GPU and adapter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gpufleet.facts.boot_loader import BootLoaderArguments
from gpufleet.facts.dkms import DkmsModules
from gpufleet.facts.memlock import ServiceMemlock
from gpufleet.facts.ofed import ReplacedModules
from gpufleet.facts.pcie import AcsControls, DeviceControls
from gpufleet.facts.rdma_speed import BANDWIDTH, LATENCY
from gpufleet.health import Probe, unproven
from roles.infiniband.decisions import acs_off, kernel_arguments, registers
from tests.verify.cuda_readings import machine, not_held, specs, wrong_versions
from tests.verify.infiniband_ports import errors, other_devices, planned_guids, unlike_declared
from tests.verify.infiniband_readings import PROBE, Stack

__all__ = ["PROBE"]

Declared = Callable[[Any], Any]


@pytest.fixture
def found(probe: Probe, declared: Declared) -> Stack | None:
    """Read the host."""
    return Stack.read(probe, declared)


def test_stack_fits(found: Stack | None) -> None:
    said = "; ".join(map(str, found.chosen.errors)) if found else ""
    assert not said, f"network stack: expected one that fits, found {said}"


def test_packages_are_installed(found: Stack | None) -> None:
    wrong = wrong_versions(found.probe, found.wanted) if found else {}
    said = ", ".join(f"{name} {version or 'not installed'}" for name, version in wrong.items())
    assert not said, f"network stack: expected {specs(found.wanted if found else ())}, found {said}"


def test_release_is_held(found: Stack | None) -> None:
    loose = not_held(found.probe, (package for package in found.wanted if package.version)) if found else []
    assert not loose, f"network stack: expected its release held, found {', '.join(loose)} not held"


def test_no_other_stack_lies_beside_it(found: Stack | None) -> None:
    others = found.unwanted if found else []
    assert not others, f"network stack: expected no other beside it, found {', '.join(others)}"


def test_modules_are_built_for_the_running_kernel(found: Stack | None) -> None:
    core = found.chosen.rdma.dkms_modules[:1] if found and found.chosen.rdma else ()
    for module in core:
        kernel = found.probe["kernel"].text if found else ""
        rows = DkmsModules().process(found.probe["dkms"].lines) if found else []
        states = [row.state for row in rows if (row.module, row.kernel) == (module, kernel)]
        assert states == ["installed"], f"dkms module {module} for kernel {kernel}: expected installed, found {states}"


def test_kernel_runs_the_installed_stack(found: Stack | None) -> None:
    replaced = ReplacedModules().process(found.probe["replaced"].lines) if found else []
    said = ", ".join(replaced)
    assert not replaced, f"kernel: expected the installed network stack, found another build of {said}; reboot the host"


def test_modules_are_loaded(found: Stack | None) -> None:
    loaded = found.probe["modules"].lines if found else []
    missing = [module for module in found.options.modules if module not in loaded] if found else []
    assert not missing, f"modules of RDMA: expected them loaded, found no {', '.join(missing)}"


def test_modules_are_loaded_at_boot(found: Stack | None) -> None:
    if found and not found.chosen.errors:
        expected, listed = list(found.options.modules), found.probe["modules at boot"].lines
        assert listed == expected, f"modules of RDMA at boot: expected {expected}, found {listed}"


def test_devices_have_their_names(found: Stack | None) -> None:
    if found and found.names:
        names = {device.pci: device.name for device in found.devices}
        if not names:
            unproven("the kernel shows no RDMA device")
        wrong = [f"{names.get(pci, 'none')} at {pci}" for pci, name in found.names.items() if names.get(pci) != name]
        expected = ", ".join(f"{name} at {pci}" for pci, name in found.names.items() if names.get(pci) != name)
        assert not wrong, f"RDMA devices: expected {expected}, found {', '.join(wrong)}"


def test_names_come_back_at_boot(found: Stack | None) -> None:
    if found and not found.chosen.errors:
        expected = [f"{pci} {name}" for pci, name in found.names.items()]
        rules = found.probe["rules"].lines
        assert rules == expected, f"udev's rules for RDMA devices: expected {expected}, found {rules}"


def test_ports_are_as_declared(found: Stack | None) -> None:
    wrong = unlike_declared(found.options, found.devices) if found else []
    if wrong and found and not found.devices:
        unproven("the kernel shows no RDMA device")
    assert not wrong, "; ".join(wrong)


def test_ports_have_few_errors(found: Stack | None) -> None:
    if found and found.names:
        if not found.devices:
            unproven("the kernel shows no RDMA device")
        many = errors(found.counters, found.devices, found.options.counters)
        cure = "see to the cable; `perfquery -R` starts anew after a repair"
        assert not many, f"errors of ports: expected few an hour, found {', '.join(many)}; {cure}"


def test_devices_are_those_of_the_fabrics_plan(found: Stack | None) -> None:
    if found and planned_guids(found.record):
        if not found.devices:
            unproven("the kernel shows no RDMA device")
        wrong = other_devices(found.record, found.devices)
        assert not wrong, f"{'; '.join(wrong)}; correct the plan, or look for an adapter that was exchanged"


def test_services_may_lock_memory(found: Stack | None) -> None:
    if found and not found.chosen.errors:
        limit, known = found.options.memlock.text, ServiceMemlock().process(found.probe["memlock"].lines)
        rows = {unit: known[unit] for unit in found.options.memlock.services if unit in known}
        wrong = [f"{unit} would get {row.configured}" for unit, row in rows.items() if row.configured != limit]
        wrong += [
            f"{unit} (process {row.pid}) has {row.running}"
            for unit, row in rows.items()
            if row.running not in ("", limit)
        ]
        assert not wrong, f"locked memory of services: expected {limit}, found {', '.join(wrong)}"


def test_acs_is_off_between_gpus_and_adapters(found: Stack | None) -> None:
    if found and acs_off(found.options, found.hardware):
        assert found.probe["setpci"].text, "ACS: expected setpci, which reads it, found none"
        controls = AcsControls().process(found.probe["acs"].lines)
        on = [f"{bridge} with {value:04x}" for bridge, value in controls.items() if value]
        assert not on, f"ACS: expected it off on every bridge above GPUs and adapters, found {', '.join(on)}"


def test_pci_devices_have_their_settings(found: Stack | None) -> None:
    wanted = registers(found.options) if found else {}
    rows = DeviceControls().process(found.probe["control"].lines) if found else []
    wrong = [
        f"{row.address}: expected {wanted[row.kind].words}, found {row.value:04x} (max. read request "
        f"{row.max_read_request}, relaxed ordering {'on' if row.relaxed_ordering else 'off'})"
        for row in rows
        if row.kind in wanted and not wanted[row.kind].holds(row)
    ]
    absent = [kind for kind in wanted if kind not in {row.kind for row in rows}]
    wrong += [f"{kind}: expected a PCI Express device of this kind, found none" for kind in absent]
    assert not wrong, "; ".join(wrong)


def test_pci_express_is_set_up_at_boot(found: Stack | None) -> None:
    if found and not found.chosen.errors and (registers(found.options) or acs_off(found.options, found.hardware)):
        state = f"{found.unit.active} and {found.unit.file or 'not there'}"
        assert state == "active and enabled", f"unit gpufleet-pcie: expected active and enabled, found {state}"


def test_kernel_has_its_arguments(found: Stack | None) -> None:
    if found:
        wanted = kernel_arguments(found.options, machine(found.probe).system.arch)
        running = BootLoaderArguments().process(found.probe["arguments"].lines).running
        missing = [word for word in wanted if word not in running]
        assert not missing, f"kernel: expected {' '.join(wanted)}, found no {' '.join(missing)}; reboot the host"


def test_boot_loader_has_the_arguments(found: Stack | None) -> None:
    if found and not found.chosen.errors:
        wanted = kernel_arguments(found.options, machine(found.probe).system.arch)
        recorded = list(BootLoaderArguments().process(found.probe["arguments"].lines).recorded)
        assert recorded == wanted, f"boot loader: expected {wanted} asked for, found {recorded}"


def test_gpus_have_an_adapter_on_their_numa_node(found: Stack | None) -> None:
    if found:
        adapters = set(found.numa("adapter").values())
        far = [f"{gpu} on node {node}" for gpu, node in found.numa("gpu").items() if node not in adapters]
        nodes = ", ".join(map(str, sorted(adapters))) or "none"
        assert not far, f"NUMA: expected an adapter on each GPU's node, found adapters on {nodes}, {', '.join(far)}"


def test_bandwidth_between_adapters(found: Stack | None) -> None:
    if found and found.options.performance.run:
        found.measured(BANDWIDTH).judge([device.name for device in found.devices])


def test_latency_between_adapters(found: Stack | None) -> None:
    if found and found.options.performance.run:
        found.measured(LATENCY).judge([device.name for device in found.devices])
