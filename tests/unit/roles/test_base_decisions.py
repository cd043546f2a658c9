"""What the role base decides without a host."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from gpufleet.facts.family import DEBIAN, EL
from gpufleet.operations.naming import with_block
from roles.base.limits import manager_properties
from roles.base.names import entries
from roles.base.options import Base, Limits, Names
from roles.base.packages import kernel_packages

LOCALHOST = ["127.0.0.1\tlocalhost", "::1\tlocalhost ip6-localhost ip6-loopback"]
BLOCK = ["# gpufleet: begin", "10.0.0.7\tgpu-07", "# gpufleet: end"]


@pytest.mark.parametrize(
    ("installed", "expected"),
    [
        pytest.param(
            ["linux-image-amd64", "linux-image-6.1.0-50-amd64", "linux-headers-6.1.0-50-amd64", "linux-headers-amd64"],
            ["linux-headers-6.1.0-50-amd64", "linux-headers-amd64", "linux-image-6.1.0-50-amd64", "linux-image-amd64"],
            id="the running kernel, its headers, and what brings newer ones",
        ),
        pytest.param(["linux-image-6.1.0-49-amd64", "linux-base", "linux-libc-dev"], [], id="neither others nor tools"),
        pytest.param(["linux-headers-6.1.0-50-common", "linux-kbuild-6.1"], [], id="nor what headers depend on"),
        pytest.param(
            ["linux-image-cloud-amd64", "linux-image-generic"],
            ["linux-image-cloud-amd64", "linux-image-generic"],
            id="metapackages of other flavors",
        ),
        pytest.param(
            [
                "linux-generic",
                "linux-generic-hwe-22.04",
                "linux-image-generic-hwe-22.04",
                "linux-aws",
                "linux-tools-aws",
            ],
            ["linux-aws", "linux-generic", "linux-generic-hwe-22.04", "linux-image-generic-hwe-22.04"],
            id="Ubuntu's metapackages of images and headers together",
        ),
        pytest.param(
            ["linux-modules-6.1.0-50-amd64", "linux-modules-extra-6.1.0-50-amd64", "linux-firmware"],
            ["linux-modules-6.1.0-50-amd64", "linux-modules-extra-6.1.0-50-amd64"],
            id="Ubuntu's modules of the running kernel",
        ),
    ],
)
def test_kernel_packages(installed: list[str], expected: list[str]) -> None:
    assert kernel_packages(dict.fromkeys(installed, "1"), "6.1.0-50-amd64", DEBIAN) == expected


@pytest.mark.parametrize(
    ("running", "installed", "expected"),
    [
        pytest.param(
            "5.14.0-570.17.1.el9_6.x86_64",
            {"kernel": "5.14.0-611.5.1.el9_7", "kernel-core": "5.14.0-570.17.1.el9_6", "kernel-headers": "5.14.0-611"},
            ["kernel-core=5.14.0-570.17.1.el9_6", "kernel=5.14.0-570.17.1.el9_6"],
            id="each at the running kernel's version, the C library's headers left alone",
        ),
        pytest.param(
            "5.14.0-570.17.1.el9_6.aarch64+64k",
            {"kernel-64k-core": "5.14.0-570.17.1.el9_6", "kernel-tools": "5.14.0-570.17.1.el9_6", "kernelshark": "2"},
            ["kernel-64k-core=5.14.0-570.17.1.el9_6"],
            id="a variant, no tools",
        ),
    ],
)
def test_kernel_packages_of_el(running: str, installed: dict[str, str], expected: list[str]) -> None:
    assert kernel_packages(installed, running, EL) == expected


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (Limits(), {"DefaultLimitMEMLOCK": "infinity", "DefaultLimitNOFILE": "1048576"}),
        (Limits(memlock=64, nofile=1024), {"DefaultLimitMEMLOCK": "65536", "DefaultLimitNOFILE": "1024"}),
    ],
)
def test_limits_of_services_are_in_bytes(limits: Limits, expected: dict[str, str]) -> None:
    assert manager_properties(limits) == expected


def test_a_full_name_comes_before_the_short_one() -> None:
    names = Names.model_validate({"address": "10.0.0.7", "hosts": {"10.0.0.1": ["api.internal", "api"]}})
    assert entries(names, "gpu-07.internal") == ["10.0.0.7\tgpu-07.internal gpu-07", "10.0.0.1\tapi.internal api"]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param([], [*BLOCK, *LOCALHOST], id="an empty file gets localhost"),
        pytest.param(["10.9.9.9\tother"], [*BLOCK, *LOCALHOST, "10.9.9.9\tother"], id="other lines stay"),
        pytest.param(LOCALHOST, [*BLOCK, *LOCALHOST], id="localhost is there once"),
        pytest.param(
            ["# gpufleet: begin", "10.0.0.8\told", "# gpufleet: end", *LOCALHOST], [*BLOCK, *LOCALHOST], id="old block"
        ),
        pytest.param([*BLOCK, *LOCALHOST], [*BLOCK, *LOCALHOST], id="as wanted"),
        pytest.param(
            ["# gpufleet: begin", "10.9.9.9\tother", *LOCALHOST],
            [*BLOCK, "10.9.9.9\tother", *LOCALHOST],
            id="a block without an end takes nothing with it",
        ),
        pytest.param(
            ["# 127.0.0.1 localhost", LOCALHOST[1]],
            [*BLOCK, LOCALHOST[0], "# 127.0.0.1 localhost", LOCALHOST[1]],
            id="a comment is no entry",
        ),
    ],
)
def test_hosts_file_with_block(lines: list[str], expected: list[str]) -> None:
    assert with_block(lines, ["10.0.0.7\tgpu-07"]) == expected


@pytest.mark.parametrize(
    ("options", "place"),
    [
        ({"modulse": []}, ("modulse",)),
        ({"modules": ["over lay"]}, ("modules", 0)),
        ({"sysctl": {"swappiness": 1}}, ("sysctl", "swappiness", "[key]")),
        ({"limits": {"nofile": 1023}}, ("limits", "nofile")),
        ({"limits": {"memlok": 64}}, ("limits", "memlok")),
        ({"swap": "on"}, ("swap",)),
        ({"cpu_governor": "fast"}, ("cpu_governor",)),
        ({"names": {"hostname": "gpu_07"}}, ("names", "hostname")),
        ({"names": {"address": "10.0.0"}}, ("names", "address")),
        ({"names": {"hosts": {"10.0.0.1": []}}}, ("names", "hosts")),
    ],
)
def test_a_wrong_option_is_refused_where_it_stands(options: dict[str, Any], place: tuple[Any, ...]) -> None:
    with pytest.raises(ValidationError) as refused:
        Base.model_validate(options)
    assert [error["loc"] for error in refused.value.errors()] == [place]


def test_a_setting_with_a_line_break_is_refused() -> None:
    with pytest.raises(ValidationError):
        Base.model_validate({"sysctl": {"vm.swappiness": "1\nkernel.panic = 0"}})


def test_settings_read_as_the_kernel_prints_them() -> None:
    options = Base.model_validate({"sysctl": {"vm.b": "1 \t 2", "vm.a": 3}})
    assert list(options.sysctl_text.items()) == [("vm.a", "3"), ("vm.b", "1 2")]
