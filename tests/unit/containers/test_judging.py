"""What is said against containerd's files: every fault with file, line and cure, as found with real containerds."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpufleet.containers.configuration import rendered, tree
from gpufleet.containers.drop_ins import drop_in, moved
from gpufleet.containers.judging import Trial, objection
from gpufleet.containers.schema import CRI, RUNTIME, runtime_plugin, schema_of
from gpufleet.containers.settings import Settings
from gpufleet.containers.toml import text
from tests.support import imagined_containerd
from tests.support.imagined_containerd import SCHEDULER

ROOT, DROP_IN = "/etc/containerd/config.toml", "/etc/containerd/conf.d/99-nvidia.toml"
SETTINGS = Settings("registry.example.org/pause:3.10")
NVIDIA = {"runtimes": {"nvidia": {"runtime_type": "io.containerd.runc.v2", "options": {"BinaryName": "/usr/bin/x"}}}}


def trial(version: str, extra: str = "", **said: Any) -> Trial:
    files = {ROOT: rendered(SETTINGS, version)} | ({DROP_IN: extra} if extra else {})
    return imagined_containerd.trial(version, files, **said)


VERSIONS = ("1.7.24", "2.2.9", "2.3.6")


@pytest.mark.parametrize("version", VERSIONS)
def test_sound_files(version: str) -> None:
    runtime = {runtime_plugin(schema_of(version)): {"containerd": NVIDIA}}
    assert objection(trial(version), "gpu-07") is None
    assert objection(trial(version, drop_in(tree(SETTINGS, version), runtime)), "gpu-07") is None
    shorter = f'[plugins."{SCHEDULER}"]\nschedule_delay = "1m"\n'
    assert objection(trial(version, shorter), "gpu-07") is None


def test_a_drop_in_of_schema_2_repeats_the_section() -> None:
    root = tree(SETTINGS, "1.7.24")
    read = tomllib.loads(drop_in(root, {CRI: {"containerd": {"default_runtime_name": "nvidia", **NVIDIA}}}))
    section = read["plugins"][CRI]
    assert section["sandbox_image"] == SETTINGS.sandbox_image
    assert section["containerd"]["default_runtime_name"] == "nvidia"
    assert sorted(section["containerd"]["runtimes"]) == ["nvidia", "runc"]
    assert root == tree(SETTINGS, "1.7.24")
    later = tomllib.loads(drop_in(tree(SETTINGS, "2.2.9"), {RUNTIME: {"containerd": NVIDIA}}))
    assert later == {"version": 3, "plugins": {RUNTIME: {"containerd": NVIDIA}}}


def test_what_is_no_runtime_of_this_suite_is_not_moved() -> None:
    before, after = tree(SETTINGS, "1.7.24"), tree(SETTINGS, "2.2.9")
    others = drop_in(before, {CRI: {"enable_selinux": True, "containerd": NVIDIA}})
    assert moved(others, after) is None
    assert (
        moved(drop_in(before, {CRI: {"containerd": {**NVIDIA, "disable_snapshot_annotations": True}}}), after) is None
    )
    assert moved(drop_in(before, {CRI: {}, SCHEDULER: {"schedule_delay": "1s"}}), after) is None
    own = drop_in(before, {CRI: {"containerd": NVIDIA}})
    assert moved(own.removeprefix("# Managed by gpufleet; do not edit\n"), after) is None
    assert moved(own, before) is None
    assert tomllib.loads(moved(own, after) or "")["plugins"] == {RUNTIME: {"containerd": NVIDIA}}


REPLACED = (
    f"gpu-07: {ROOT}:8: expected plugins.{CRI}.sandbox_image in force, found {DROP_IN} in its place; repeat the "
    "plugin's section there: containerd 1.x takes all of it from the last file that has one"
)
NEWER = "write the drop-in for that version: containerd would not start, or leave settings out unsaid"
AWAY = "correct it or take it away"
CASES: dict[str, tuple[str, str, str]] = {
    "syntax": (
        "2.2.9",
        "version = 3\n[plugins\nx = 1\n",
        f"gpu-07: {DROP_IN}:2: expected TOML, found Expected ']' at the end of a table declaration; correct the "
        "line, or take the file away",
    ),
    "syntax at the end": (
        "2.2.9",
        "version = 3\nx = [1,\n",
        f"gpu-07: {DROP_IN}:2: expected TOML, found Invalid value (at end of document); correct the line, or take the "
        "file away",
    ),
    "newer schema": (
        "1.7.24",
        "# NVIDIA\nversion = 3\n",
        f"gpu-07: {DROP_IN}:2: expected version = 2, as {ROOT} has, found version = 3; {NEWER}",
    ),
    "newer schema than any": (
        "2.3.6",
        "version = 5\n",
        f"gpu-07: {DROP_IN}:1: expected version = 4, as {ROOT} has, found version = 5; {NEWER}",
    ),
    "older schema, lost unsaid": (
        "2.2.9",
        "version = 2\n",
        f"gpu-07: {DROP_IN}:1: expected version = 3, as {ROOT} has, found version = 2; {NEWER}",
    ),
    "version that is none": (
        "2.3.6",
        'version = "4"\n',
        f"gpu-07: {DROP_IN}:1: expected version = 4, as {ROOT} has, found version = 4; {NEWER}",
    ),
    "unknown plugin": (
        "2.2.9",
        '\n[plugins."io.containerd.nosuch.v1.x"]\nx = 1\n',
        f"gpu-07: {DROP_IN}:2: expected a plugin of this containerd, found io.containerd.nosuch.v1.x, which it would "
        f"ignore; {AWAY}",
    ),
    "unknown key": (
        "2.2.9",
        "version = 3\n\nlevel = 'debug'\n",
        f"gpu-07: {DROP_IN}:3: expected level in force, found a key that containerd ignores; correct its name or its "
        "table",
    ),
    "unknown key of a plugin": (
        "1.7.24",
        f'version = 2\n[plugins."{SCHEDULER}"]\nnosuch = 1\n',
        f"gpu-07: {DROP_IN}:3: expected plugins.{SCHEDULER}.nosuch in force, found a key that containerd ignores; "
        "correct its name or its table",
    ),
    "another kind of value": (
        "2.2.9",
        f"[plugins.'{RUNTIME}']\nenable_selinux = 'yes'\n",
        f"gpu-07: {DROP_IN}:2: expected true or false for plugins.{RUNTIME}.enable_selinux, found a text; {AWAY}",
    ),
    "section in the place of the root's": (
        "1.7.24",
        f'version = 2\n[plugins."{CRI}"]\nenable_selinux = true\n',
        REPLACED,
    ),
    "no kubelet served: default runtime": (
        "2.2.9",
        f'\n[plugins."{RUNTIME}".containerd]\n# later\ndefault_runtime_name = "nvidia"\n',
        f"gpu-07: {DROP_IN}:4: expected a runtime that is declared: runc, found nvidia; declare it beside that, or "
        "name one of these",
    ),
    "no kubelet served: disabled": (
        "2.2.9",
        'disabled_plugins = ["io.containerd.grpc.v1.cri"]\n',
        f"gpu-07: {DROP_IN}:1: expected the plugins that serve the kubelet, found io.containerd.grpc.v1.cri disabled; "
        "take them out",
    ),
    "no kubelet served: mirrors": (
        "1.7.24",
        f'[plugins."{CRI}".registry.mirrors."docker.io"]\nendpoint = ["https://mirror"]\n',
        f"gpu-07: {DROP_IN}:1: expected mirrors in /etc/containerd/certs.d, found mirrors, which containerd refuses "
        "beside it; declare them in container_runtime.registries, which writes hosts.toml there",
    ),
}


@pytest.mark.parametrize(("version", "extra", "message"), CASES.values(), ids=CASES)
def test_objections(version: str, extra: str, message: str) -> None:
    assert str(objection(trial(version, extra), "gpu-07")) == message


def test_an_older_drop_in_is_migrated_from_2_3_on() -> None:
    extra = f'version = 3\n[plugins."{RUNTIME}"]\nenable_selinux = true\n'
    assert objection(trial("2.3.6", extra), "gpu-07") is None


def test_what_containerd_itself_refuses() -> None:
    said = ("time=x level=warning msg=y", "containerd: toml: cannot decode TOML string into struct field")
    assert str(objection(trial("2.2.9", "version = 3\n", code=1, said=said, dump=""), "gpu-07")) == (
        f"gpu-07: {ROOT}, {DROP_IN}: expected files that `containerd config dump` reads, found toml: cannot decode "
        "TOML string into struct field; correct what it names; the configuration of before stays in force"
    )
    assert "found status 127;" in str(objection(trial("2.2.9", code=127, dump="", default=""), "gpu-07"))


def test_without_a_root_file_containerd_goes_by_its_defaults() -> None:
    assert objection(Trial(), "gpu-07") is None
    assert objection(Trial({DROP_IN: "x ="}), "gpu-07") is None


VALUE = st.recursive(
    st.one_of(st.booleans(), st.integers(-9, 9), st.text('ab."#[]=\n', max_size=4)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2), st.dictionaries(st.text("ab.", min_size=1), inner, max_size=2)
    ),
    max_leaves=5,
)
KEYS = st.sampled_from(["version", "plugins", "imports", "disabled_plugins", "root", "x"])


PLAIN = st.one_of(st.booleans(), st.integers(), st.text("ab.", max_size=3))
WRITTEN = st.one_of(st.text("ab[]=.\"'\n 1", max_size=40), st.dictionaries(KEYS, VALUE, max_size=3).map(str))


@given(extra=WRITTEN, given_values=st.dictionaries(KEYS, PLAIN, max_size=3), version=st.sampled_from(VERSIONS))
def test_no_file_makes_it_fail(extra: str, given_values: dict[str, Any], version: str) -> None:
    """Whatever somebody put into conf.d: it is judged, and nothing is raised."""
    answer = trial(version)
    for content in (extra, text(given_values, "given")):
        objection(Trial({**answer.files, DROP_IN: content}, dump=answer.dump, default=answer.default), "gpu-07")
