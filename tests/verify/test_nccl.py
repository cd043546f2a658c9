"""Checks of the role `nccl`: one version, the declared settings, and that the library takes them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from gpufleet.facts.linker import Libraries
from gpufleet.facts.nccl import Nccl as State
from gpufleet.facts.nccl import NcclState
from gpufleet.facts.unpacked import UnpackedPackages
from gpufleet.health import Probe, unproven
from gpufleet.stack.declared import DeclaredMachine
from gpufleet.stack.nccl_settings import cdi
from gpufleet.stack.nccl_settings.configuration import HOST_FILE, POD_FILE, TOPOLOGY_FILE, Configuration
from gpufleet.stack.versions import upstream
from roles.nccl.choice import configured
from roles.nccl.options import Nccl
from tests.verify.cuda_readings import NCCL as PROBE
from tests.verify.cuda_readings import machine, not_held, resolution, specs, wrong_versions

__all__ = ["PROBE"]

Declared = Callable[[Any], Any]


@pytest.fixture
def settings(probe: Probe, declared: Declared, data: Mapping[str, Any]) -> Configuration:
    """What the host's NCCL should be told: nothing where the data lack the key, as the role does nothing there."""
    if data.get(Nccl.key) is None:
        return Configuration("bare-metal", "")
    platform = declared(DeclaredMachine).completed(machine(probe)).hardware.platform
    return configured(declared(Nccl), platform)


@pytest.fixture
def pods(declared: Declared, data: Mapping[str, Any]) -> bool:
    """Whether pods are to get the same settings."""
    return data.get(Nccl.key) is not None and declared(Nccl).pods


def state(probe: Probe) -> State:
    """What the host's NCCL says of itself."""
    return NcclState().process(probe["nccl"].lines)


def lines(configuration: Configuration) -> list[str]:
    """The settings as the file has them."""
    return [f"{name}={value}" for name, value in configuration.settings.items()]


def differences(expected: list[str], found: list[str]) -> str:
    """What is missing and what is too much, in words; empty where both are the same."""
    missing = [line for line in expected if line not in found]
    extra = [line for line in found if line not in expected]
    return "" if not missing + extra else f"expected {missing}, found {extra}"


def test_stack_fits(probe: Probe, declared: Declared) -> None:
    errors = resolution(probe, declared).errors
    assert not errors, f"NCCL: expected a stack that fits, found {'; '.join(map(str, errors))}"


def test_library_and_headers_are_installed(probe: Probe, declared: Declared) -> None:
    packages = resolution(probe, declared).of("nccl")
    wrong = wrong_versions(probe, packages)
    found = ", ".join(f"{name} {version or 'not installed'}" for name, version in wrong.items())
    assert not wrong, f"NCCL: expected {specs(packages)}, found {found}"


def test_library_and_headers_are_held(probe: Probe, declared: Declared) -> None:
    loose = not_held(probe, resolution(probe, declared).of("nccl"))
    assert not loose, f"packages on hold: expected NCCL's, found {', '.join(loose)} not held"


def test_header_is_the_packages(probe: Probe, declared: Declared) -> None:
    for package in resolution(probe, declared).of("nccl"):
        if package.name.endswith(("-dev", "-devel")):
            expected, found = upstream(package.version).partition("-")[0], state(probe).header
            assert found == expected, f"/usr/include/nccl.h: expected {expected}, found {found or 'none'}"


def test_library_is_the_header(probe: Probe, declared: Declared) -> None:
    if resolution(probe, declared).of("nccl"):
        found = state(probe)
        if not found.asked:
            unproven("libnccl.so.2: expected it to tell its version, found no Python with ctypes to ask it with")
        assert found.library == found.header, (
            f"libnccl.so.2: expected {found.header or 'a header'} as nccl.h says, found {found.library or 'none'}"
        )


def test_linker_finds_the_installed_library(probe: Probe, declared: Declared) -> None:
    if resolution(probe, declared).of("nccl"):
        found = Libraries().process(probe["libraries"].lines).get("libnccl.so.2", "none")
        assert found.startswith("/usr/lib"), f"libnccl.so.2: expected the installed one in /usr/lib, found {found}"


def test_settings_are_written(probe: Probe, settings: Configuration) -> None:
    wrong = differences(lines(settings), probe["settings"].lines)
    assert not wrong, f"{HOST_FILE}: {wrong}"


def test_library_takes_the_settings(probe: Probe, declared: Declared, settings: Configuration) -> None:
    if resolution(probe, declared).of("nccl"):
        found = state(probe)
        if not found.asked:
            unproven("libnccl.so.2: expected it to read its settings, found no Python with ctypes to ask it with")
        assert found.library, "libnccl.so.2: expected it to load, found no answer"
        if found.status is None:
            unproven("libnccl.so.2: expected it to read its settings, found no ncclGetUniqueId in it that returns")
        taken = [f"{name}={value}" for name, value in found.read.items()]
        wrong = differences(lines(settings), taken)
        assert not wrong, f"libnccl.so.2: settings it took: {wrong}"


def test_topology_is_written(probe: Probe, settings: Configuration) -> None:
    expected, found = settings.topology.strip(), probe["topology"].text.strip()
    what = "the platform's topology" if expected else "no file"
    assert found == expected, f"{TOPOLOGY_FILE}: expected {what}, found {'another' if found else 'none'}"


def test_pods_get_the_same_settings(probe: Probe, settings: Configuration, pods: bool) -> None:
    expected = lines(settings) if pods else []
    wrong = differences(expected, probe["pod settings"].lines)
    assert not wrong, f"{POD_FILE}: {wrong}"


def test_container_runtimes_know_the_settings(probe: Probe, pods: bool) -> None:
    text = probe["cdi"].text
    try:
        found = json.loads(text) if text else None
    except ValueError:
        found = text
    expected = cdi.document() if pods else None
    what = f"devices {cdi.CONF} and {cdi.ETC} of {cdi.KIND}" if expected else "no file"
    assert found == expected, f"/etc/cdi/gpufleet-nccl.json: expected {what}, found {'another' if text else 'none'}"


def test_network_plugin_is_there(probe: Probe, settings: Configuration) -> None:
    expected = settings.library
    found = [path for path in expected if path in probe["plugins"].lines]
    assert found or not expected, (
        f"network plugin: expected {' or '.join(expected)}, found none; NCCL falls back to TCP in silence"
    )


def test_other_builds_lie_beside_their_toolkits(probe: Probe, declared: Declared) -> None:
    rows = UnpackedPackages().process(probe["unpacked"].lines)
    found = sorted(f"{row.name} {row.version} in {row.directory}" for row in rows if "nccl" in row.name)
    wanted = resolution(probe, declared).unpacked
    expected = sorted(f"{item.name} {item.version} in {item.directory}" for item in wanted if item.component == "nccl")
    assert found == expected, f"NCCL for other CUDA majors: expected {expected}, found {found}"


def test_nccl_tests_are_built(probe: Probe, declared: Declared) -> None:
    if declared(Nccl).tests.url:
        expected = f"{declared(Nccl).tests.directory}/all_reduce_perf"
        assert expected in probe["tests"].lines, f"nccl-tests: expected {expected}, found none"
