"""The signing key on hosts whose own key has the place that Ubuntu 22.04 reads."""

from __future__ import annotations

import pytest
from pyinfra.facts.files import File

from gpufleet.operations import signing
from gpufleet.options.mok import MachineOwnerKey
from tests.support.plans import plan

PAIR = MachineOwnerKey(b"<certificate in DER>", b"<private key>", "Fleet key", "5ca1ab1e")
MACHINES_OWN = [signing.UBUNTU_PLACE.key, signing.UBUNTU_PLACE.certificate]
CERTIFICATE = signing.OWN_PLACE.certificate


def removed(release: str, *there: str) -> list[str]:
    """Files that go, of those that are there."""
    at = signing.place(release)
    info = {"mode": 600, "user": "root", "group": "root"}
    text = plan(lambda: signing.forgotten(at=at, name="Forget"), {File: lambda path: info if path in there else None})
    return [line.split()[-1] for line in text.splitlines() if "rm -f" in line]


@pytest.mark.parametrize(
    ("release", "there", "expected"),
    [
        pytest.param("ubuntu-22.04", MACHINES_OWN, [], id="a key of the machine's own"),
        pytest.param("ubuntu-22.04", [*MACHINES_OWN, CERTIFICATE], [CERTIFICATE], id="ours was never enrolled"),
        pytest.param(
            "ubuntu-22.04",
            [*MACHINES_OWN, CERTIFICATE, signing.FRAMEWORK],
            [*MACHINES_OWN, CERTIFICATE, signing.FRAMEWORK],
            id="ours in its place",
        ),
        pytest.param(
            "debian-12", [signing.OWN_PLACE.key, CERTIFICATE], [signing.OWN_PLACE.key, CERTIFICATE], id="ours"
        ),
    ],
)
def test_what_goes(release: str, there: list[str], expected: list[str]) -> None:
    assert removed(release, *there) == expected


def test_nothing_is_put_in_the_place_of_the_machines_key_before_ours_is_enrolled() -> None:
    text = plan(lambda: signing.enrolled(pair=PAIR, name="Prove"))
    assert [line.split()[1] for line in text.splitlines() if "upload" in line] == [CERTIFICATE]
    assert text.splitlines()[-2].strip() == (
        "printf '%s\\n' 'gpu-07: Secure Boot: expected the key `Fleet key` among the machine owner keys that the "
        f"firmware knows, found {CERTIFICATE} not enrolled; run `mokutil --import {CERTIFICATE}`, choose a password, "
        "reboot, and confirm at the console' >&2; false"
    )
