"""Options of the role container_runtime that are refused, in their own words, and what it wants of the stack."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from gpufleet.containers.settings import Settings
from roles.container_runtime.options import ContainerRuntime

PATH = "expected a whole path of plain characters, found {}; write it like /data/containerd"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"state": "off"}, "Input should be 'present' or 'absent'"),
        ({"source": "docker"}, "Input should be 'distribution' or 'vendor'"),
        ({"version": "2.2"}, "expected `auto` or a version, found '2.2'; write it like 2.2.6"),
        ({"version": "2.2.6-1"}, "expected `auto` or a version, found '2.2.6-1'; write it like 2.2.6"),
        ({"root": "data"}, PATH.format("'data'")),
        ({"root": "/data/../etc"}, PATH.format("'/data/../etc'")),
        ({"root": "/data/"}, PATH.format("'/data/'")),
        ({"root": "/da ta"}, PATH.format("'/da ta'")),
        ({"root": "/data%i"}, PATH.format("'/data%i'")),
        ({"cdi_spec_dirs": ["cdi"]}, PATH.format("'cdi'")),
        ({"filesystem": "/data"}, "expected root below /data, found /var/lib/containerd; correct one of the two"),
        ({"root": "/database/x", "filesystem": "/data"},
         "expected root below /data, found /database/x; correct one of the two"),
        ({"sandbox_image": "pause"}, "String should match pattern '^[^\\s\"]+[:@][^\\s\"]+$'"),
        ({"registries": {"https://nvcr.io": {}}},
         "expected a registry's host, found 'https://nvcr.io'; write it like nvcr.io, without a scheme"),
        ({"registries": {"../..": {}}},
         "expected a registry's host, found '../..'; write it like nvcr.io, without a scheme"),
        ({"limits": {"memlock": "unlimited"}}, "String should match pattern '^(infinity|[1-9][0-9]*)$'"),
        ({"limits": {"memlocks": "1"}}, "Extra inputs are not permitted"),
        ({"install_timeout": 0}, "Input should be greater than 0"),
    ],
)  # fmt: skip
def test_refused(data: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        ContainerRuntime.model_validate(data)
    assert [error["msg"].removeprefix("Value error, ") for error in refused.value.errors()] == [message]


@pytest.mark.parametrize(
    ("data", "wish"),
    [
        ({}, {"containerd": "auto", "containerd_source": "distribution"}),
        ({"source": "vendor", "version": "2.2.6"}, {"containerd": "2.2.6", "containerd_source": "vendor"}),
        ({"state": "absent", "version": "2.2.6"}, {}),
    ],
)
def test_wish(data: dict[str, Any], wish: dict[str, str]) -> None:
    assert ContainerRuntime.model_validate(data).wish() == wish


def test_names_of_registries() -> None:
    names = ("_default", "nvcr.io", "registry.example.org:5000", "localhost", "10.0.0.5:5000")
    assert list(ContainerRuntime.model_validate({"registries": {name: {} for name in names}}).registries) == list(names)


def test_settings_are_the_options() -> None:
    given = {"root": "/data/x", "filesystem": "/data", "snapshotter": "zfs", "systemd_cgroup": False, "cdi": False,
             "restrict_oom_score_adj": True, "cdi_spec_dirs": ["/etc/cdi"], "sandbox_image": "a:1"}  # fmt: skip
    assert ContainerRuntime.model_validate(given).settings == Settings(
        sandbox_image="a:1",
        root="/data/x",
        snapshotter="zfs",
        systemd_cgroup=False,
        restrict_oom_score_adj=True,
        cdi=False,
        cdi_spec_dirs=("/etc/cdi",),
    )
