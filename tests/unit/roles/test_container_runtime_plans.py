"""Plans of the role container_runtime: every source and schema, second run, bad files, filesystem, removal."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from gpufleet.containers.schema import CRI, DROP_INS, ROOT_FILE, RUNTIME
from gpufleet.facts.containerd import UNIT
from gpufleet.operations import containerd
from roles.container_runtime.deploy import container_runtime
from tests.support.driver_facts import without_noops
from tests.support.plans import assert_plan
from tests.support.runtime_world import RuntimeWorld, runtime_plan

ROLE, RELEASE = "container_runtime", "debian-13"
MIRROR = {"_default": {"mirrors": [{"url": "https://mirror.example.org", "ca": "/etc/ssl/site.crt"}]}}
BAD, NVIDIA = f"{DROP_INS}/50-site.toml", f"{DROP_INS}/99-nvidia.toml"
IMAGE = "registry.k8s.io/pause:3.10.2"


def data(**options: Any) -> dict[str, Any]:
    return {ROLE: options}


def planned(world: RuntimeWorld, release: str = RELEASE, **options: Any) -> str:
    return without_noops(runtime_plan(container_runtime, world, release, data(**options)))


@pytest.mark.parametrize(
    ("case", "release", "options"),
    [
        ("distribution_debian_12", "debian-12", {}),
        ("distribution_debian_13", "debian-13", {}),
        ("vendor_debian_13", "debian-13", {"source": "vendor"}),
        ("vendor_older", "debian-13", {"source": "vendor", "version": "2.2.6"}),
        ("vendor_el_9", "el-9", {"source": "vendor"}),
    ],
)
def test_first_and_second_run(case: str, release: str, options: dict[str, Any]) -> None:
    world = RuntimeWorld(is_el=release == "el-9")
    assert_plan(ROLE, case, planned(world, release, **options))
    assert world.daemons[UNIT].active == "active"
    assert UNIT not in world.stale
    assert planned(world, release, **options) == ""


def test_every_option() -> None:
    options: dict[str, Any] = {
        "source": "vendor",
        "sandbox_image": "registry.example.org/pause:3.10",
        "root": "/data/containerd",
        "filesystem": "/data",
        "snapshotter": "native",
        "systemd_cgroup": False,
        "restrict_oom_score_adj": True,
        "cdi": False,
        "registries": MIRROR,
        "limits": {"memlock": "8388608", "nofile": "65536", "tasks": "100000"},
    }
    world = RuntimeWorld(mount="/data")
    assert_plan(ROLE, "every_option", planned(world, **options))
    assert planned(world, **options) == ""
    assert_plan(ROLE, "mirrors_no_longer", planned(world, **{**options, "registries": {}}))


def test_changed_limits_and_image_restart_it_once() -> None:
    world = RuntimeWorld()
    planned(world)
    text = planned(world, sandbox_image="registry.example.org/pause:3.10", limits={"nofile": "65536"})
    assert_plan(ROLE, "changed", text)
    assert text.count("systemctl restart") == 1


def test_another_source() -> None:
    world = RuntimeWorld()
    planned(world)
    assert_plan(ROLE, "distribution_to_vendor", planned(world, source="vendor", version="2.2.6"))
    assert sorted(world.installed) == ["containerd.io", "containernetworking-plugins"]
    assert_plan(ROLE, "upgrade_to_schema_4", planned(world, source="vendor", version="2.3.6"))


def test_own_drop_ins_follow_to_another_schema() -> None:
    """As another role's file would keep this one from upgrading containerd, and it comes after."""
    world = RuntimeWorld()
    planned(world)
    nvidia = {"runtime_type": "io.containerd.runc.v2", "options": {"BinaryName": "/usr/bin/nvidia-container-runtime"}}
    runtimes = {"default_runtime_name": "nvidia", "runtimes": {"nvidia": nvidia}}

    def nvidia_runtime() -> None:
        containerd.runtimes(path=NVIDIA, declared={"nvidia": nvidia}, default="nvidia", name="Declare it")

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


@pytest.mark.parametrize(
    ("case", "text"),
    [
        ("bad_syntax", "version = 2\n[plugins\n"),
        ("bad_newer", "version = 3\n"),
        ("bad_plugin", 'version = 2\n[plugins."io.containerd.nosuch.v1.x"]\n'),
        ("bad_section", 'version = 2\n[plugins."io.containerd.grpc.v1.cri"]\nenable_selinux = true\n'),
    ],
)
def test_a_bad_drop_in_of_somebody_else(case: str, text: str) -> None:
    """The containerd that runs goes on: no file changes, nothing is restarted, and the host fails."""
    world = RuntimeWorld()
    planned(world)
    before = dict(world.files)
    world.put(BAD, text)
    changed = planned(world, sandbox_image="registry.example.org/pause:3.10")
    assert_plan(ROLE, case, changed)
    assert world.files == {**before, BAD: text}
    unchanged = planned(world)
    assert "systemctl" not in changed + unchanged
    assert unchanged.count("     failed\n") == 1
    del world.files[BAD]
    assert "systemctl restart containerd.service" in planned(world)


def test_a_runtime_without_a_root_file_to_go_by() -> None:
    def nvidia_runtime() -> None:
        containerd.runtimes(path=NVIDIA, declared={"nvidia": {}}, name="Declare it")

    for text in ('disabled_plugins = ["cri"]\n', "version = ["):
        world = RuntimeWorld(installed={"containerd.io": "2.2.6-1"}, files={ROOT_FILE: text})
        assert_plan(ROLE, "runtime_without_root", runtime_plan(nvidia_runtime, world, RELEASE, {}))


def test_others_drop_ins_keep_a_release_from_coming_that_would_not_read_them() -> None:
    world = RuntimeWorld()
    planned(world)
    world.put(BAD, 'version = 2\n[plugins."io.containerd.gc.v1.scheduler"]\nschedule_delay = "1s"\n')
    planned(world)
    before = (dict(world.files), dict(world.installed), dict(world.daemons))
    assert_plan(ROLE, "bad_for_the_next_release", planned(world, source="vendor", version="2.2.6"))
    assert (world.files, world.installed, world.daemons) == before


def test_a_drop_in_with_which_no_containerd_would_start_keeps_packages_from_changing() -> None:
    """A package starts its containerd before anybody could ask that about the files."""
    world = RuntimeWorld()
    planned(world, source="vendor", version="2.2.6")
    world.put(BAD, f'version = 3\n[plugins."{RUNTIME}"]\nenable_selinux = "yes"\n')
    before = (dict(world.files), dict(world.installed))
    text = planned(world, source="vendor", version="2.2.0")
    assert_plan(ROLE, "bad_for_the_package", text)
    assert (world.files, world.installed) == before


def test_a_bad_drop_in_before_containerd_first_runs() -> None:
    world = RuntimeWorld(files={BAD: "version = 2\nx = 1\n"})
    assert_plan(ROLE, "bad_at_first", planned(world))


def test_data_on_the_wrong_filesystem() -> None:
    world = RuntimeWorld()
    assert_plan(ROLE, "not_mounted", planned(world, root="/data/containerd", filesystem="/data"))
    assert world.installed == {}


def test_refused_stack() -> None:
    text = runtime_plan(container_runtime, RuntimeWorld(), RELEASE, {**data(), "stack": {"kubelet": "1.36.3"}})
    assert_plan(ROLE, "refused", text)


def test_absent() -> None:
    world = RuntimeWorld()
    planned(world, registries=MIRROR)
    assert_plan(ROLE, "absent", planned(world, state="absent"))
    assert [path for path in world.files if "containerd" in path or "crictl" in path] == []
    assert sorted(world.installed) == ["containernetworking-plugins"]
    assert planned(world, state="absent") == ""


def test_absent_where_rpm_saved_the_configuration() -> None:
    world = RuntimeWorld(is_el=True, files={f"{ROOT_FILE}.rpmsave": "version = 4\n"})
    assert_plan(ROLE, "absent_saved", planned(world, "el-9", state="absent"))


def test_host_without_the_key() -> None:
    assert_plan(ROLE, "no_key", runtime_plan(container_runtime, RuntimeWorld(), RELEASE, {}))
    assert ROOT_FILE not in RuntimeWorld().files
