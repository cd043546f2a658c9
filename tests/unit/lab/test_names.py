"""Names that the lab refuses, and what it offers instead."""

from __future__ import annotations

import pytest

from gpufleet.errors import LabError
from gpufleet.lab import bringup, command, names
from gpufleet.lab.hosts import HostSpec
from gpufleet.lab.lab import Lab

GOOD = HostSpec("gpu-01", "debian-12", "hgx-h100")


def refusal(work: object) -> str:
    """Text of the LabError that a call raises."""
    assert callable(work)
    with pytest.raises(LabError) as caught:
        work()
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_a_host_is_described_in_one_word() -> None:
    assert HostSpec.parse("gpu-01=debian-12/hgx-h100") == GOOD


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gpu-01", "host: expected NAME=OS/PROFILE, found `gpu-01`; write it as gpu-01=debian-12/hgx-h100"),
        ("a=debian-12", "host: expected NAME=OS/PROFILE, found `a=debian-12`; write it as gpu-01=debian-12/hgx-h100"),
        ("a=debian-11/x", "host a: expected a known operating system, found `debian-11`; did you mean debian-13?"),
        (
            "a=sles/x",
            "host a: expected a known operating system, found `sles`; choose one of debian-12, debian-13, "
            "ubuntu-22.04-stand-in, ubuntu-24.04-stand-in, rocky-9-stand-in, rocky-10-stand-in",
        ),
        (
            "a=ubuntu-24.04/x",
            "host a: expected a known operating system, found `ubuntu-24.04`; did you mean ubuntu-24.04-stand-in?",
        ),
        (
            "A_1=debian-12/x",
            "host: expected lower-case letters, digits and inner hyphens, at most 42 of them, found `A_1`; "
            "choose another name for the host",
        ),
    ],
)
def test_a_host_described_wrongly(text: str, message: str) -> None:
    assert refusal(lambda: HostSpec.parse(text)) == message


@pytest.mark.parametrize("system", names.SYSTEMS)
def test_every_system_can_be_asked_for(system: str) -> None:
    assert HostSpec.parse(f"a={system}/cpu-only") == HostSpec("a", system, "cpu-only")


def test_a_lab_named_wrongly() -> None:
    assert refusal(lambda: Lab.up("my lab")) == (
        "lab: expected lower-case letters, digits and inner hyphens, at most 42 of them, found `my lab`; "
        "choose another name for the lab"
    )


def test_an_unknown_profile() -> None:
    assert refusal(lambda: bringup.check([HostSpec("a", "debian-12", "hgx-h10")], {})) == (
        "profile 'hgx-h10': expected one of aws-p5, azure-nd-h100-v5, cpu-only, gb200-tray, gcp-a3, hgx-a100, "
        "hgx-b200, hgx-h100, l40s-pcie, v100-sxm2, found no such profile; did you mean hgx-h100?"
    )


def test_an_unknown_system_that_was_not_parsed() -> None:
    assert refusal(lambda: bringup.check([HostSpec("a", "debian12", "hgx-h100")], {})) == (
        "host a: expected a known operating system, found `debian12`; did you mean debian-12?"
    )


def test_two_hosts_of_one_name() -> None:
    assert refusal(lambda: bringup.check([GOOD, GOOD], {})) == (
        "hosts: expected every name once, found gpu-01 more than once; rename one of them"
    )


def test_an_image_for_an_unknown_system() -> None:
    assert refusal(lambda: bringup.check([], {"debian": "debian:12"})) == (
        "option --image: expected a known operating system, found `debian`; did you mean debian-13?"
    )


def test_an_image_without_a_reference() -> None:
    assert refusal(lambda: command.images(["debian-12"])) == (
        "option --image: expected OS=REF, found `debian-12`; write debian-12=debian:12"
    )


def test_images_keep_their_tags() -> None:
    assert command.images(["debian-12=registry.example/debian:12"]) == {"debian-12": "registry.example/debian:12"}


def test_a_known_name_is_returned() -> None:
    assert names.known("lab x", "host", "a", ["a", "b"]) == "a"
