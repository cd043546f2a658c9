"""The verification on real hosts: each way a check ends, each way a host cannot be asked, the others finishing."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from gpufleet.health.run import verify
from tests.support.lab import Fleet
from tests.support.verification import CHECKS, Inventory, gpufleet

#: What tests/support/checks/test_sample.py comes to on a host in order.
SAMPLE = """\
{0} sample swap_is_off: expected no swap, found /dev/sda2
{0} sample memlock[soft]: unproven: the host's own soft limit is 8192 KB
{0} sample memlock[hard]: unproven: the host's own hard limit is 8192 KB
{0} sample slow_section: error: probe section slow: expected an answer within 1 s, found none
{0} sample skipped: error: a check is never skipped, it is unproven() or not there: not today
{0} sample broken: error: ZeroDivisionError: division by zero
"""
SAMPLE_COUNTS = "3 pass, 1 fail, 2 unproven, 3 error"


def test_every_outcome_is_shown_and_one_failure_ends_with_1(inventory: Inventory) -> None:
    result = gpufleet(inventory.path)
    assert result.stdout == (
        f"d12 sample: {SAMPLE_COUNTS}\nd13 sample: {SAMPLE_COUNTS}\n{SAMPLE.format('d12')}{SAMPLE.format('d13')}"
        "2 hosts, 18 checks: 6 pass, 2 fail, 4 unproven, 6 error\n"
    )
    assert (result.returncode, result.stderr) == (1, "")


def test_green_and_unproven(inventory: Inventory, checks: Path) -> None:
    module = checks / "test_sample.py"
    module.write_text("def test_boots(host):\n    assert host.file('/etc/os-release').exists\n")
    green = gpufleet(inventory.path, f"--checks={checks}", "--strict")
    assert (green.returncode, green.stdout, green.stderr) == (
        0,
        "d12 sample: 1 pass\nd13 sample: 1 pass\n2 hosts, 2 checks: 2 pass\n",
        "",
    )
    module.write_text("from gpufleet.health import unproven\ndef test_boots(host):\n    unproven('no way to tell')\n")
    line = "sample boots: unproven: no way to tell\n"
    shown = f"d12 sample: 1 unproven\nd13 sample: 1 unproven\nd12 {line}d13 {line}2 hosts, 2 checks: 2 unproven\n"
    loose, strict = (
        gpufleet(inventory.path, f"--checks={checks}"),
        gpufleet(inventory.path, f"--checks={checks}", "--strict"),
    )
    assert (loose.returncode, loose.stdout) == (0, shown)
    assert (strict.returncode, strict.stdout) == (1, shown)


def test_one_json_document_and_a_junit_file(inventory: Inventory, tmp_path: Path) -> None:
    result = gpufleet(inventory.path, "--json", f"--junit={tmp_path / 'junit.xml'}", "--limit=d12")
    document = json.loads(result.stdout)
    assert list(document["hosts"]) == ["d12"]
    assert document["counts"] == {"pass": 3, "fail": 1, "unproven": 2, "error": 3}
    suite = ET.parse(tmp_path / "junit.xml").getroot().find("testsuite")
    assert suite is not None
    assert suite.attrib == {"name": "d12", "tests": "9", "failures": "1", "errors": "3", "skipped": "2"}


COULD_NOT = "(9 checks could not run)"


def broken(inventory: Inventory, **change: Any) -> list[str]:
    """Break the connection of d12 and return what is said of it; d13 is checked all the same."""
    inventory.write(d12=change)
    result = verify(inventory.path, checks=CHECKS)
    assert [check.outcome for check in result.of("d12")] == ["error"] * 9
    assert all(check.whole_host for check in result.of("d12"))
    assert sum(check.outcome == "pass" for check in result.of("d13")) == 3
    return sorted({check.message for check in result.of("d12")})


def test_an_unreachable_host(inventory: Inventory) -> None:
    address = inventory.connections["d12"]["ssh_hostname"]
    refused = f"ssh: connect to host {address} port 2222: Connection refused"
    assert broken(inventory, ssh_port=2222) == [
        f'expected an SSH server at {address} port 2222, found "{refused}"; check the host and its network'
    ]
    assert gpufleet(inventory.path, "--limit=d12").stdout == (
        "d12 sample: 9 error\n"
        f'd12 error: expected an SSH server at {address} port 2222, found "{refused}"; check the host and its network '
        f"{COULD_NOT}\n1 host, 9 checks: 9 error\n"
    )


def test_a_wrong_host_key(inventory: Inventory, tmp_path: Path) -> None:
    other = tmp_path / "other"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(other)], check=True)
    key = " ".join(other.with_suffix(".pub").read_text().split()[:2])
    known_hosts = tmp_path / "known_hosts"
    known_hosts.write_text(f"{inventory.connections['d12']['ssh_hostname']} {key}\n")
    before = known_hosts.read_text()
    assert broken(inventory, ssh_known_hosts_file=str(known_hosts)) == [
        f"expected the host key recorded in {known_hosts}, found another or none; "
        "compare the keys before you correct that file"
    ]
    assert known_hosts.read_text() == before


@pytest.fixture
def ordinary_user(fresh_fleet: Fleet) -> Iterator[str]:
    """A user of d12 whom the lab's key lets in and sudo does not know."""
    host, keys = fresh_fleet.host("d12"), "/home/operator/.ssh/authorized_keys"
    host.execute("useradd --create-home --shell /bin/sh ordinary")
    host.execute(f"install -D -o ordinary -m 600 {keys} /home/ordinary/.ssh/authorized_keys")
    yield "ordinary"
    host.execute("userdel --remove --force ordinary 2>/dev/null", check=False)


def test_no_right_to_sudo(inventory: Inventory, ordinary_user: str) -> None:
    assert broken(inventory, ssh_user=ordinary_user) == [
        "expected ordinary to become root by sudo without a password, "
        'found "sudo: a password is required"; allow it in /etc/sudoers.d'
    ]


def test_no_sudo_asked_for(inventory: Inventory) -> None:
    (message,) = broken(inventory, _sudo=False)
    head, _, user = message.partition("found user ")
    assert head == "expected the probe to run as root, "
    assert user.partition(";")[2] == " set _sudo = True in the group data"


def test_a_user_who_may_not_log_in(inventory: Inventory) -> None:
    address = inventory.connections["d12"]["ssh_hostname"]
    (message,) = broken(inventory, ssh_user="nobody-at-all")
    denied = f"nobody-at-all@{address}: Permission denied (publickey)."
    assert message == f'expected to log in as nobody-at-all, found "{denied}"; authorize the key on the host'
