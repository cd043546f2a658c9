"""Plans of the role container_runtime where containerd changes: its source, its release, and runs that were cut off."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest

from gpufleet.containers.schema import CRI, DROP_INS, RUNTIME
from gpufleet.operations import containerd
from roles.container_runtime.deploy import container_runtime
from tests.support.driver_facts import without_noops
from tests.support.plans import assert_plan
from tests.support.runtime_world import OFFERS, RuntimeWorld, runtime_plan

ROLE, RELEASE = "container_runtime", "debian-13"
BAD, NVIDIA = f"{DROP_INS}/50-site.toml", f"{DROP_INS}/99-nvidia.toml"
IMAGE = "registry.k8s.io/pause:3.10.2"
RUNTIME_OF_NVIDIA = {
    "runtime_type": "io.containerd.runc.v2",
    "options": {"BinaryName": "/usr/bin/nvidia-container-runtime"},
}


def data(**options: Any) -> dict[str, Any]:
    return {ROLE: options}


def planned(world: RuntimeWorld, **options: Any) -> str:
    return without_noops(runtime_plan(container_runtime, world, RELEASE, data(**options)))


def nvidia_runtime() -> None:
    """What another role does after this one."""
    containerd.runtimes(path=NVIDIA, declared={"nvidia": RUNTIME_OF_NVIDIA}, default="nvidia", name="Declare it")


def seen(world: RuntimeWorld) -> tuple[object, ...]:
    """What a refused change of the source may not touch."""
    files = {path: text for path, text in world.files.items() if "containerd" in path}
    return files, dict(world.installed), set(world.held), dict(world.daemons)


def test_another_source() -> None:
    world = RuntimeWorld()
    planned(world)
    assert_plan(ROLE, "distribution_to_vendor", planned(world, source="vendor", version="2.2.6"))
    assert sorted(world.installed) == ["containerd.io", "containernetworking-plugins"]
    assert_plan(ROLE, "upgrade_to_schema_4", planned(world, source="vendor", version="2.3.6"))
    assert_plan(ROLE, "vendor_to_distribution", planned(world))
    assert sorted(world.installed) == ["containerd", "containernetworking-plugins", "runc"]


@pytest.mark.parametrize(
    ("case", "before", "then"),
    [
        ("vendor_not_on_offer", {}, {"source": "vendor", "version": "2.2.5"}),
        ("distribution_not_on_offer", {"source": "vendor"}, {}),
    ],
)
def test_another_source_that_has_not_this_version_takes_nothing(
    case: str, before: dict[str, Any], then: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    world = RuntimeWorld()
    planned(world, **before)
    there = seen(world)
    monkeypatch.setitem(OFFERS, "containerd", ["1.6.20~ds1-1+deb12u3"])
    assert_plan(ROLE, case, planned(world, **then))
    assert seen(world) == there
    assert planned(world, **before) == ""


def test_another_source_that_cannot_be_fetched_takes_nothing() -> None:
    """As from a mirror whose lists name what it has not."""
    world = RuntimeWorld()
    planned(world)
    there = seen(world)
    cut = {"fake_responses": {re.compile("^apt-get fetch"): {"success": False}}}
    text = runtime_plan(container_runtime, world, RELEASE, {**data(source="vendor", version="2.2.6"), **cut})
    assert_plan(ROLE, "vendor_not_fetched", without_noops(text))
    assert seen(world) == there


def test_own_drop_ins_follow_to_another_schema() -> None:
    """As another role's file would keep this one from upgrading containerd, and it comes after."""
    world = RuntimeWorld()
    planned(world)
    runtimes = {"default_runtime_name": "nvidia", "runtimes": {"nvidia": RUNTIME_OF_NVIDIA}}

    assert_plan(ROLE, "runtime_declared", without_noops(runtime_plan(nvidia_runtime, world, RELEASE, data())))
    assert without_noops(runtime_plan(nvidia_runtime, world, RELEASE, data())) == ""
    assert "restart" in planned(world)
    planned(world, sandbox_image="registry.example.org/pause:3.10")
    assert tomllib.loads(world.files[NVIDIA])["plugins"][CRI]["sandbox_image"] == "registry.example.org/pause:3.10"
    assert_plan(ROLE, "own_drop_in_moves", planned(world, source="vendor", version="2.2.6"))
    assert tomllib.loads(world.files[NVIDIA]) == {"version": 3, "plugins": {RUNTIME: {"containerd": runtimes}}}
    planned(world, source="vendor", version="2.3.6")
    assert tomllib.loads(world.files[NVIDIA])["version"] == 4
    planned(world)
    back = tomllib.loads(world.files[NVIDIA])["plugins"][CRI]
    assert (back["sandbox_image"], sorted(back["containerd"]["runtimes"])) == (IMAGE, ["nvidia", "runc"])


def test_others_drop_ins_keep_a_release_from_coming_that_would_not_read_them() -> None:
    world = RuntimeWorld()
    planned(world)
    world.put(BAD, 'version = 2\n[plugins."io.containerd.gc.v1.scheduler"]\nschedule_delay = "1s"\n')
    planned(world)
    before = (dict(world.files), dict(world.installed), dict(world.daemons))
    assert_plan(ROLE, "bad_for_the_next_release", planned(world, source="vendor", version="2.2.6"))
    assert (world.files, world.installed, world.daemons) == before


def test_the_cure_for_others_drop_ins_is_accepted_beside_the_release_of_before() -> None:
    """A drop-in for the schema to come is not held against the root file that goes; a wrong kind of value still is."""
    world = RuntimeWorld()
    planned(world)
    before = (dict(world.files), dict(world.installed), dict(world.daemons))
    world.put(BAD, 'version = 3\n[plugins."io.containerd.gc.v1.scheduler"]\nschedule_delay = 1\n')
    assert_plan(ROLE, "bad_kind_for_the_next_release", planned(world, source="vendor", version="2.2.6"))
    cured = f'version = 3\n[plugins."{RUNTIME}"]\nenable_selinux = true\n'
    world.put(BAD, cured)
    assert (world.files, world.installed, world.daemons) == ({**before[0], BAD: cured}, *before[1:])
    assert "failed" not in planned(world, source="vendor", version="2.2.6")
    assert world.files[BAD] == cured
    assert planned(world, source="vendor", version="2.2.6") == ""
    world.put(BAD, "version = 2\n")
    assert "failed" not in planned(world)


@pytest.mark.parametrize(
    ("case", "before", "then", "site"),
    [
        ("cut_off_in_another_schema", {}, {"source": "vendor", "version": "2.2.6"}, "version = 3\n"),
        ("cut_off_in_the_same_schema", {}, {"sandbox_image": "registry.example.org/pause:3.10"}, "version = 2\n"),
    ],
)
def test_a_run_that_was_cut_off_between_the_root_file_and_our_drop_in_is_finished(
    case: str, before: dict[str, Any], then: dict[str, Any], site: str
) -> None:
    """As the host lost power; a drop-in of somebody else lies beside them."""
    world = RuntimeWorld()
    planned(world, **before)
    runtime_plan(nvidia_runtime, world, RELEASE, data())
    left = world.files[NVIDIA]
    planned(world, **then)
    world.put(BAD, site)
    moved = world.files[NVIDIA]
    assert moved != left
    world.put(NVIDIA, left)
    assert_plan(ROLE, case, planned(world, **then))
    assert world.files[NVIDIA] == moved
    assert planned(world, **then) == ""


def test_a_drop_in_with_which_no_containerd_would_start_keeps_packages_from_changing() -> None:
    """A package starts its containerd before anybody could ask that about the files."""
    world = RuntimeWorld()
    planned(world, source="vendor", version="2.2.6")
    world.put(BAD, f'version = 3\n[plugins."{RUNTIME}"]\nenable_selinux = "yes"\n')
    before = (dict(world.files), dict(world.installed))
    text = planned(world, source="vendor", version="2.2.0")
    assert_plan(ROLE, "bad_for_the_package", text)
    assert (world.files, world.installed) == before
