"""Plans of the role container_toolkit: families and schemas, second run, another driver, downgrade, removal."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from gpufleet.containers.gpu_devices import SPECIFICATION, Devices
from gpufleet.containers.schema import CRI, DROP_INS, ROOT_FILE, RUNTIME
from gpufleet.facts.containerd import UNIT as CONTAINERD
from roles.container_runtime.deploy import container_runtime
from roles.container_toolkit.deploy import container_toolkit
from roles.container_toolkit.steps import UNIT, WATCH
from tests.support.driver_facts import without_noops
from tests.support.plans import assert_plan
from tests.support.toolkit_world import ToolkitWorld, toolkit_plan

ROLE, RELEASE = "container_toolkit", "debian-13"
DROP_IN, BAD = f"{DROP_INS}/99-nvidia.toml", f"{DROP_INS}/50-site.toml"


def ready(release: str = RELEASE, **runtime: Any) -> ToolkitWorld:
    """A host with driver and containerd."""
    world = ToolkitWorld(is_el=release.startswith("el"))
    toolkit_plan(container_runtime, world, release, {"container_runtime": runtime})
    assert world.daemons[CONTAINERD].active == "active"
    return world


def planned(world: ToolkitWorld, release: str = RELEASE, machine: str = "hgx-h100", **options: Any) -> str:
    return without_noops(toolkit_plan(container_toolkit, world, release, {ROLE: options}, machine))


@pytest.mark.parametrize(
    ("case", "release", "runtime", "options"),
    [
        ("debian_13", "debian-13", {}, {}),
        ("debian_12_before_the_vendors_unit", "debian-12", {}, {"version": "1.17.8"}),
        ("schema_4", "ubuntu-24.04", {"source": "vendor"}, {}),
        ("el_9", "el-9", {"source": "vendor", "version": "2.2.6"}, {}),
        (
            "every_option",
            "debian-13",
            {"systemd_cgroup": False},
            {
                "version": "1.18.2",
                "mode": "cdi",
                "default_runtime": True,
                "devices_by_environment": True,
                "devices_by_mounts": False,
                "log_level": "debug",
                "install_timeout": 900,
            },
        ),
    ],
)
def test_first_and_second_run(case: str, release: str, runtime: dict[str, Any], options: dict[str, Any]) -> None:
    world = ready(release, **runtime)
    assert_plan(ROLE, case, planned(world, release, **options))
    assert world.daemons[UNIT].active == "active"
    assert (WATCH in world.daemons) is (options.get("version") != "1.17.8")
    assert CONTAINERD not in world.stale
    assert planned(world, release, **options) == ""


@pytest.mark.parametrize(
    ("runtime", "plugin", "schema"),
    [({}, CRI, 2), ({"source": "vendor", "version": "2.2.6"}, RUNTIME, 3), ({"source": "vendor"}, RUNTIME, 4)],
)
@pytest.mark.parametrize("systemd_cgroup", [True, False])
def test_the_runtime_is_in_the_schema_of_the_root_file(
    runtime: dict[str, Any], plugin: str, schema: int, systemd_cgroup: bool
) -> None:
    """With the control groups of runc: a runtime that has others starts no pod beside the kubelet's."""
    world = ready(**runtime, systemd_cgroup=systemd_cgroup)
    planned(world)
    file = tomllib.loads(world.files[DROP_IN])
    assert file["version"] == schema == tomllib.loads(world.files[ROOT_FILE])["version"]
    options = {"SystemdCgroup": systemd_cgroup, "BinaryName": "/usr/bin/nvidia-container-runtime"}
    expected = {"runtime_type": "io.containerd.runc.v2", "options": options}
    assert file["plugins"][plugin]["containerd"]["runtimes"]["nvidia"] == expected


def test_another_driver_and_other_parts_of_a_gpu_are_described_anew() -> None:
    world = ready()
    planned(world)
    world.devices = Devices("590.48.01", world.devices.names)
    text = planned(world)
    assert_plan(ROLE, "another_driver", text)
    assert planned(world) == ""
    world.devices = Devices("590.48.01", ("GPU-0a", "MIG-1"))
    assert planned(world) == text
    del world.files[SPECIFICATION]
    assert planned(world) == text


def test_a_driver_that_waits_for_a_reboot_is_described_at_that() -> None:
    world = ready()
    planned(world)
    world.marks["nvidia-driver"] = "the module in the kernel is another"
    world.devices = Devices("590.48.01", ())
    assert planned(world) == ""


def test_without_a_driver_in_the_kernel_the_unit_says_so() -> None:
    """It is started all the same: its failure is the host's, and names the module."""
    world = ready()
    world.devices = Devices()
    assert f"systemctl start {UNIT} || {{ journalctl --unit {UNIT} --lines 5" in planned(world)


def test_upgrade_and_downgrade_move_all_packages() -> None:
    world = ready()
    planned(world, version="1.19.1")
    assert_plan(ROLE, "upgrade", planned(world, version="1.20.0"))
    assert_plan(ROLE, "downgrade", planned(world, version="1.18.2"))
    assert {version for name, version in world.installed.items() if "nvidia" in name} == {"1.18.2-1"}


def test_a_bad_drop_in_keeps_the_runtime_away() -> None:
    world = ready()
    world.put(BAD, "version = 2\n[plugins\n")
    assert_plan(ROLE, "bad_drop_in", planned(world))
    assert DROP_IN not in world.files


def test_without_containerd() -> None:
    assert_plan(ROLE, "no_containerd", planned(ToolkitWorld(installed={"containerd": "1.7.24~ds1-6"})))


def test_refused_stack() -> None:
    data = {ROLE: {"version": "1.19.1"}, "stack": {"containerd": "1.6.36"}}
    assert_plan(ROLE, "refused", toolkit_plan(container_toolkit, ready(), RELEASE, data))


def test_absent() -> None:
    world = ready()
    before = dict(world.files)
    planned(world)
    assert_plan(ROLE, "absent", planned(world, state="absent"))
    assert [name for name in world.installed if "nvidia" in name] == []
    assert {path for path in world.files if "preferences.d" not in path} == {
        path for path in before if "preferences.d" not in path
    }
    assert planned(world, state="absent") == ""


def test_absent_after_a_run_that_was_cut_off_before_the_restart() -> None:
    """The drop-in is gone and containerd has the runtime still: it is restarted before the packages go."""
    world = ready()
    planned(world)
    world.run(f"rm -f {DROP_IN}")
    text = planned(world, state="absent")
    assert text.index(f"systemctl restart {CONTAINERD}") < text.index("apt-get purge")
    assert CONTAINERD not in world.stale
    assert planned(world, state="absent") == ""


def test_absent_while_containers_run_by_it() -> None:
    world = ready()
    planned(world)
    before = (dict(world.files), dict(world.installed))
    world.tasks = ["kube-system/device-plugin-x7k2p", "train/llama-0"]
    assert_plan(ROLE, "absent_in_use", planned(world, state="absent"))
    assert (world.files, world.installed) == before


def test_absent_while_another_drop_in_is_bad() -> None:
    world = ready()
    planned(world)
    world.put(BAD, "version = 2\n[plugins\n")
    before = (dict(world.files), dict(world.installed))
    assert_plan(ROLE, "absent_bad_drop_in", planned(world, state="absent"))
    assert (world.files, world.installed) == before


def test_a_host_without_gpus() -> None:
    world = ready()
    assert_plan(ROLE, "no_gpu", toolkit_plan(container_toolkit, world, RELEASE, {ROLE: {}}, "cpu-only"))
    assert [name for name in world.installed if "nvidia" in name] == []


def test_a_baseboard_that_lost_its_gpus_keeps_the_toolkit_unless_it_is_to_have_none() -> None:
    world = ready()
    planned(world)
    assert planned(world, machine="cpu-only") == ""
    assert "apt-get purge" in planned(world, machine="cpu-only", state="absent")


def test_host_without_the_key() -> None:
    assert_plan(ROLE, "no_key", toolkit_plan(container_toolkit, ToolkitWorld(), RELEASE, {}))
