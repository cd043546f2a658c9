"""Checks of the role `cuda`: toolkits, their default, and the ways to them; and that none brought a driver."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from gpufleet.facts.alternatives import AlternativeState
from gpufleet.facts.cuda import CompilerReleases, ManagedToolkits
from gpufleet.facts.linker import Libraries
from gpufleet.facts.packages import InstalledVersions
from gpufleet.health import Probe
from gpufleet.stack.toolkits import folder
from roles.cuda.choice import Choice, choose
from roles.cuda.options import Cuda
from tests.verify.cuda_readings import CUDA as PROBE
from tests.verify.cuda_readings import not_held, resolution, specs, wrong_versions

__all__ = ["PROBE"]

Declared = Callable[[Any], Any]

#: Metapackages that depend on a driver; the driver's own role installs none of them.
METAPACKAGE = re.compile(r"cuda|cuda-(runtime-)?\d+-\d+")


def wanted(probe: Probe, declared: Declared) -> Choice:
    """What the host should have."""
    return choose(declared(Cuda), resolution(probe, declared), [])


def test_stack_fits(probe: Probe, declared: Declared) -> None:
    errors = resolution(probe, declared).errors
    assert not errors, f"CUDA: expected a stack that fits, found {'; '.join(map(str, errors))}"


def test_toolkits_are_installed(probe: Probe, declared: Declared) -> None:
    packages = wanted(probe, declared).packages
    wrong = wrong_versions(probe, packages)
    found = ", ".join(f"{name} {version or 'not installed'}" for name, version in wrong.items())
    assert not wrong, f"toolkits: expected {specs(packages)}, found {found}"


def test_toolkits_are_held(probe: Probe, declared: Declared) -> None:
    loose = not_held(probe, wanted(probe, declared).packages)
    assert not loose, f"packages on hold: expected every toolkit, found {', '.join(loose)} not held"


def test_only_wanted_toolkits_are_recorded(probe: Probe, declared: Declared) -> None:
    expected = list(wanted(probe, declared).toolkits)
    found = ManagedToolkits().process(probe["record"].lines)
    assert found == expected, f"toolkits installed from here: expected {expected}, found {found}"


def test_compilers_answer(probe: Probe, declared: Declared) -> None:
    choice = wanted(probe, declared)
    found = CompilerReleases().process(probe["compilers"].lines)
    expected = {f"{folder(toolkit)}/bin/nvcc": toolkit for toolkit in choice.toolkits}
    if choice.from_distribution:
        expected["/usr/bin/nvcc"] = choice.from_distribution[0].version.rstrip(".*")
    for compiler, release in expected.items():
        said = found.get(compiler, "no answer")
        assert said.startswith(f"{release}."), f"{compiler}: expected release {release}, found {said}"


def test_default_is_chosen(probe: Probe, declared: Declared) -> None:
    choice = wanted(probe, declared)
    if choice.default:
        state = AlternativeState().process(probe["default"].lines)
        found = f"{state.current or 'nothing'}, {'chosen' if state.chosen else 'by priority'}"
        expected = f"{folder(choice.default)}, chosen"
        assert found == expected, f"/usr/local/cuda: expected {expected}, found {found}"


def test_shells_find_the_default(probe: Probe, declared: Declared) -> None:
    if wanted(probe, declared).toolkits:
        found = probe["path"].text
        expected = "/usr/bin:/bin:/usr/local/cuda/bin"
        assert found == expected, f"PATH after /etc/profile.d/cuda.sh: expected {expected}, found {found or 'none'}"


def test_linker_finds_the_default(probe: Probe, declared: Declared) -> None:
    choice = wanted(probe, declared)
    if not choice.packages:
        return
    release = choice.default or choice.from_distribution[0].version.rstrip(".*")
    name = f"libcudart.so.{release.partition('.')[0]}"
    found = Libraries().process(probe["libraries"].lines).get(name, "none")
    expected = f"{folder(release)}/" if choice.default else f"/libcudart.so.{release}."
    assert expected in found, f"{name}: expected one of CUDA {release}, found {found}"


def test_compatibility_libraries_only_where_wanted(probe: Probe, declared: Declared) -> None:
    choice = wanted(probe, declared)
    expected = [f"{folder(choice.compat)}/compat"] if choice.compat else []
    found = probe["compat"].lines
    assert found == expected, f"linker path of cuda-compat: expected {expected}, found {found}"
    if choice.compat:
        library = Libraries().process(probe["libraries"].lines).get("libcuda.so.1", "none")
        assert library.startswith(expected[0]), f"libcuda.so.1: expected it in {expected[0]}, found {library}"


def test_no_metapackage_brings_a_driver(probe: Probe) -> None:
    found = sorted(filter(METAPACKAGE.fullmatch, InstalledVersions().process(probe["packages"].lines)))
    assert not found, f"packages: expected no metapackage that brings a driver, found {', '.join(found)}"
