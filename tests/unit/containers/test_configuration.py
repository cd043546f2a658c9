"""The root file in every schema: what the options say, and what containerd's own names for it are."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpufleet.containers.configuration import rendered, tree
from gpufleet.containers.places import found, leaves
from gpufleet.containers.schema import CRI, IMAGES, RUNTIME, runtime_plugin, schema_of
from gpufleet.containers.settings import Settings
from gpufleet.containers.toml import value_text

TEXT = st.text(min_size=1, max_size=20).filter(lambda text: not any(0xD800 <= ord(one) <= 0xDFFF for one in text))
SETTINGS = st.builds(
    Settings,
    sandbox_image=TEXT,
    root=TEXT,
    snapshotter=st.sampled_from(["overlayfs", "native", "btrfs", "zfs"]),
    systemd_cgroup=st.booleans(),
    restrict_oom_score_adj=st.booleans(),
    cdi=st.booleans(),
    cdi_spec_dirs=st.lists(TEXT, max_size=3).map(tuple),
)


#: Plugins of images and of containers, and the places of snapshotter and sandbox image in the first of them.
ONE_PLUGIN = ((CRI,), (CRI,), ("containerd", "snapshotter"), ("sandbox_image",))
TWO_PLUGINS = ((IMAGES,), (RUNTIME,), ("snapshotter",), ("pinned_images", "sandbox"))


@pytest.mark.parametrize(
    ("version", "schema"),
    [("1.6.20", 2), ("1.7.24", 2), ("2.0.0", 3), ("2.1.9", 3), ("2.2.9", 3), ("2.3.0", 4), ("2.10.1", 4), ("3.0.0", 4)],
)
def test_schema(version: str, schema: int) -> None:
    assert schema_of(version) == schema
    assert runtime_plugin(schema) == (CRI if schema == 2 else RUNTIME)


@given(settings=SETTINGS, version=st.sampled_from(["1.6.20", "1.7.24", "2.1.9", "2.2.9", "2.3.6"]))
def test_says_what_the_options_say(settings: Settings, version: str) -> None:
    text = rendered(settings, version)
    read = tomllib.loads(text)
    assert read == tree(settings, version)
    schema = schema_of(version)
    images, runtime, snapshotter, sandbox = ONE_PLUGIN if schema == 2 else TWO_PLUGINS
    expected: dict[tuple[str, ...], Any] = {
        ("version",): schema,
        ("imports",): ["/etc/containerd/conf.d/*.toml"],
        ("root",): settings.root,
        ("state",): "/run/containerd",
        ("plugins", *images, *sandbox): settings.sandbox_image,
        ("plugins", *images, *snapshotter): settings.snapshotter,
        ("plugins", *images, "registry", "config_path"): "/etc/containerd/certs.d",
        ("plugins", *runtime, "restrict_oom_score_adj"): settings.restrict_oom_score_adj,
        ("plugins", *runtime, "disable_hugetlb_controller"): False,
        ("plugins", *runtime, "tolerate_missing_hugetlb_controller"): True,
        ("plugins", *runtime, "containerd", "default_runtime_name"): "runc",
        ("plugins", *runtime, "containerd", "runtimes", "runc", "runtime_type"): "io.containerd.runc.v2",
        ("plugins", *runtime, "containerd", "runtimes", "runc", "options", "SystemdCgroup"): settings.systemd_cgroup,
    }
    if version != "1.6.20":
        expected[("plugins", *runtime, "enable_cdi")] = settings.cdi
        expected[("plugins", *runtime, "cdi_spec_dirs")] = list(settings.cdi_spec_dirs)
    assert dict(leaves(read)) == expected
    assert all(found(read, path) == value for path, value in expected.items())


WHOLE = """\
# Managed by gpufleet; do not edit. Drop-ins of the same version belong into conf.d
version = 3
imports = ["/etc/containerd/conf.d/*.toml"]
root = "/var/lib/containerd"
state = "/run/containerd"

[plugins."io.containerd.cri.v1.images"]
snapshotter = "overlayfs"

[plugins."io.containerd.cri.v1.images".pinned_images]
sandbox = "registry.k8s.io/pause:3.10.2"

[plugins."io.containerd.cri.v1.images".registry]
config_path = "/etc/containerd/certs.d"

[plugins."io.containerd.cri.v1.runtime"]
restrict_oom_score_adj = false
disable_hugetlb_controller = false
tolerate_missing_hugetlb_controller = true
enable_cdi = true
cdi_spec_dirs = ["/etc/cdi", "/var/run/cdi"]

[plugins."io.containerd.cri.v1.runtime".containerd]
default_runtime_name = "runc"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
SystemdCgroup = true
"""


def test_whole_file() -> None:
    settings = Settings("registry.k8s.io/pause:3.10.2")
    assert rendered(settings, "2.2.9") == WHOLE
    assert rendered(settings, "2.3.6") == WHOLE.replace("version = 3", "version = 4")


def test_no_toml_for_other_things() -> None:
    with pytest.raises(TypeError, match="no TOML for None"):
        value_text(None)
