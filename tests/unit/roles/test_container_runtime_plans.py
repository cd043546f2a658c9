"""Plans of the role container_runtime: every source and schema, second run, bad files, filesystem, removal."""

from __future__ import annotations

from typing import Any

import pytest

from gpufleet.containers.schema import DROP_INS, ROOT_FILE
from gpufleet.facts.containerd import UNIT
from gpufleet.operations import containerd
from roles.container_runtime.deploy import container_runtime
from tests.support.driver_facts import without_noops
from tests.support.plans import assert_plan
from tests.support.runtime_world import RuntimeWorld, runtime_plan

ROLE, RELEASE = "container_runtime", "debian-13"
MIRROR = {"_default": {"mirrors": [{"url": "https://mirror.example.org", "ca": "/etc/ssl/site.crt"}]}}
BAD, NVIDIA = f"{DROP_INS}/50-site.toml", f"{DROP_INS}/99-nvidia.toml"


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
        ("vendor_el_10", "el-10", {"source": "vendor"}),
    ],
)
def test_first_and_second_run(case: str, release: str, options: dict[str, Any]) -> None:
    world = RuntimeWorld(is_el=release.startswith("el-"))
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
    assert (text.count("systemctl restart"), text.count("systemctl daemon-reload")) == (1, 1)


def test_a_changed_image_alone_reloads_nothing() -> None:
    """As a reload of systemd takes GPUs from containers, and no file of the unit has changed."""
    world = RuntimeWorld()
    planned(world)
    text = planned(world, sandbox_image="registry.example.org/pause:3.10")
    assert (text.count("systemctl restart"), text.count("systemctl daemon-reload")) == (1, 0)


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
    def bare_runtime() -> None:
        containerd.runtimes(path=NVIDIA, declared={"nvidia": {}}, name="Declare it")

    for text in ('disabled_plugins = ["cri"]\n', "version = ["):
        world = RuntimeWorld(installed={"containerd.io": "2.2.6-1"}, files={ROOT_FILE: text})
        assert_plan(ROLE, "runtime_without_root", runtime_plan(bare_runtime, world, RELEASE, {}))


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
