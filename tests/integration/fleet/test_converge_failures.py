"""Every way a host can fail over SSH: named whole, and the others finish."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.converge import Hosts, reach, run_cases
from tests.support.lab import Fleet

#: By name of the host: its data, its state, and what is said about it.
Cases = dict[str, tuple[dict[str, Any], str, str]]
NETWORK = "check that the host is up and that ssh_hostname and ssh_port are right"
NOT_RUN = "the operation after it was not run"


@pytest.fixture
def ways(fresh_fleet: Fleet) -> Hosts:
    """How d12 and d13 are reached."""
    return reach(fresh_fleet)


@pytest.fixture
def unprivileged(fresh_fleet: Fleet) -> Iterator[str]:
    """A user of d13 with the operator's key and without sudo."""
    host = fresh_fleet.host("d13")
    host.execute("useradd -m guest && cp -r /home/operator/.ssh /home/guest/ && chown -R guest: /home/guest")
    yield "guest"
    host.execute("pkill -KILL -u guest; userdel -r guest", check=False)


def no_server(way: dict[str, Any]) -> Cases:
    """Nothing answers."""
    refusing = f"expected an SSH server at {way['ssh_hostname']} port 2222, found the connection refused; {NETWORK}"
    unnamed = f"expected an SSH server at gpu-01.invalid port 22, found no such name; {NETWORK}"
    return {
        "refusing": ({**way, "ssh_port": 2222}, "unreachable", refusing),
        "unnamed": ({**way, "ssh_hostname": "gpu-01.invalid"}, "unreachable", unnamed),
    }


def host_keys(way: dict[str, Any], other: dict[str, Any], directory: Path) -> Cases:
    """Another key than the recorded one, and none recorded."""
    address, wrong, none = way["ssh_hostname"], directory / "other_keys", directory / "no_keys"
    lines = Path(other["ssh_known_hosts_file"]).read_text().splitlines()
    key = next(line for line in lines if other["ssh_hostname"] in line.split()[0].split(","))
    wrong.write_text(f"{address} {key.split(maxsplit=1)[1]}\n")
    none.touch()
    differs = (
        f"expected the host key recorded for {address} in {wrong}, found another key; if it was reinstalled, remove "
        f"the old key with `ssh-keygen -R {address} -f {wrong}` and record the new one, else trust nothing there"
    )
    unknown = (
        f"expected a host key for {address} in {none}, found none; "
        "compare its fingerprint at the host's console and record it"
    )
    return {
        "wrong-key": ({**way, "ssh_known_hosts_file": str(wrong)}, "unreachable", differs),
        "unknown-key": ({**way, "ssh_known_hosts_file": str(none)}, "unreachable", unknown),
    }


def logins(way: dict[str, Any], unprivileged: str, directory: Path) -> Cases:
    """A user unknown there, a key that is not here, a user without sudo."""
    stranger = (
        f"expected stranger to be let in with the key {way['ssh_key']}, found the login refused; "
        "check ssh_user, ssh_key and the user's authorized_keys there"
    )
    absent = (
        f"expected connection data that can be used, found `No such private key file: {directory}/absent`; "
        "correct them in the inventory"
    )
    no_sudo = (
        "expected guest to have sudo without a password, found `sudo: a password is required`; "
        "grant it in /etc/sudoers.d there, or set _sudo_password in the inventory"
    )
    return {
        "stranger": ({**way, "ssh_user": "stranger"}, "unreachable", stranger),
        "no-key-file": ({**way, "ssh_key": f"{directory}/absent"}, "unreachable", absent),
        "no-sudo": ({**way, "ssh_user": unprivileged}, "refused", no_sudo),
    }


def deploys(way: dict[str, Any]) -> Cases:
    """What goes wrong after the login."""
    texts = {
        "command": f"expected operation `Cases | Break` to succeed, found exit status 7; {NOT_RUN}\n"
        "    line 3\n    line 4\n    line 5\n    line 6\n    line 7",
        "fact": "expected to read fact `builtins.Broken`, found exit status 3; no operation was run\n"
        "    out\n    broken fact",
        "upload": f"expected operation `Cases | Upload` to succeed, found exit status 1; {NOT_RUN}\n"
        "    File upload error: cp: cannot create regular file '/proc/none': No such file or directory",
        "timeout": f"expected operation `Cases | Sleep` to end within 1 s, found no end; {NOT_RUN}; "
        "the command may still be running there",
        "deploy": "expected the deploy to run, found ValueError: the deploy code is wrong (cases.py line 50); "
        "no operation was run",
    }
    return {case: ({**way, "case": case}, "failed", text) for case, text in texts.items()}


def test_every_failure_is_named_and_the_others_finish(ways: Hosts, unprivileged: str, tmp_path: Path) -> None:
    d12, d13 = ways["d12"], ways["d13"]
    cases: Cases = {
        "good-12": (d12, "done", ""),
        "good-13": (d13, "done", ""),
        **no_server(d12),
        **host_keys(d12, d13, tmp_path),
        **logins(d13, unprivileged, tmp_path),
        **deploys(d13),
    }
    result = run_cases(tmp_path, {name: data for name, (data, _, _) in cases.items()})
    assert {name: (str(host.state), host.error) for name, host in result.hosts.items()} == {
        name: (state, f"{name}: {error}" if error else "") for name, (_, state, error) in cases.items()
    }
    assert result.exit_code() == 1
