"""The plan harness itself: what it prints of operations that change, do nothing, fail, or wait for another."""

from pathlib import Path

import pytest
from pyinfra.api.deploy import deploy

from gpufleet.facts.apt import AvailableVersions, HeldPackages, InstalledVersions
from gpufleet.facts.boot import BootIdentity, RebootRequired
from gpufleet.operations import apt, boot
from tests.support import plans
from tests.support.plans import Facts, assert_plan, plan


@deploy("Small")
def small() -> None:
    apt.hold(packages=["dkms"], name="Hold dkms")
    pinned = apt.pin(preference="small", package="dkms", version="3.0.10", name="Pin dkms")
    boot.require_reboot(key="small", text="dkms is pinned", name="Ask for a reboot", _if=pinned.did_change)
    boot.reboot(timeout_s=600, if_required=True, name="Reboot where asked")


def test_operations_and_their_commands_are_listed() -> None:
    facts: Facts = {HeldPackages: {"dkms"}, RebootRequired: {"other": "why"}, BootIdentity: "a/1"}
    assert plan(small, facts) == (
        "Small | Hold dkms\n"
        "     nothing to do: packages held: dkms\n"
        "Small | Pin dkms\n"
        "     mkdir -p /etc/apt/preferences.d\n"
        "     chown root:root /etc/apt/preferences.d\n"
        "     upload /etc/apt/preferences.d/small.pref\n"
        "     | Explanation: Managed by gpufleet; do not edit\n"
        "     | Package: dkms\n"
        "     | Pin: version 3.0.10-*\n"
        "     | Pin-Priority: 1001\n"
        "     chown root:root /etc/apt/preferences.d/small.pref\n"
        "     chmod 644 /etc/apt/preferences.d/small.pref\n"
        "Small | Ask for a reboot\n"
        "     install -d -m 755 /run/gpufleet/reboot-required\n"
        "     printf '%s\\n' 'dkms is pinned' > /run/gpufleet/reboot-required/small\n"
        "Small | Reboot where asked\n"
        "     call _forget_password_program()\n"
        "     ( sleep 1 && reboot ) </dev/null >/dev/null 2>&1 &\n"
        "     call wait_for_boot('a/1', 600)\n"
    )


@deploy("Failing")
def failing() -> None:
    apt.exact(packages=["hello=3"], name="Install hello")
    apt.hold(packages=["hello"], name="Hold hello")


def test_a_failure_ends_the_plan() -> None:
    facts: Facts = {InstalledVersions: lambda packages: {}, AvailableVersions: lambda packages: {"hello": ["2.10-3"]}}
    assert plan(failing, facts).splitlines()[-4:] == [
        "     printf '%s\\n' 'gpu-07: expected hello=3 in an apt repository, found only hello 2.10-3; "
        "ask for one of these, or switch on the repository that has it' >&2; false",
        "     failed",
        "Failing | Hold hello",
        "     not reached",
    ]


def test_kept_plans_are_written_on_request_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plans, "PLANS", tmp_path)
    monkeypatch.delenv("GPUFLEET_UPDATE_PLANS", raising=False)
    with pytest.raises(AssertionError, match=r"case.txt: expected a kept plan, found none"):
        assert_plan("role", "case", "text\n")
    monkeypatch.setenv("GPUFLEET_UPDATE_PLANS", "1")
    assert_plan("role", "case", "text\n")
    monkeypatch.delenv("GPUFLEET_UPDATE_PLANS")
    assert_plan("role", "case", "text\n")
    with pytest.raises(AssertionError):
        assert_plan("role", "case", "other\n")
