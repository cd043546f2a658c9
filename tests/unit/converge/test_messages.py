"""Every text about a host that did not come to the end, whole."""

from __future__ import annotations

import pytest

from gpufleet.converge.messages import Login, Place, lost

WAY = Login("gpu-01", "10.0.0.7", 22, "operator", "keys/fleet", "keys/known_hosts")
BARE = Login("gpu-01", "gpu-01.example", 2222)
PLACE = Place("gpu-01", "Base | Hold the kernel", 2)

TEXTS = {
    WAY.unreachable("the connection refused"): (
        "gpu-01: expected an SSH server at 10.0.0.7 port 22, found the connection refused; "
        "check that the host is up and that ssh_hostname and ssh_port are right"
    ),
    WAY.unusable("No such private key file: x"): (
        "gpu-01: expected connection data that can be used, found `No such private key file: x`; "
        "correct them in the inventory"
    ),
    WAY.key_differs(): (
        "gpu-01: expected the host key recorded for 10.0.0.7 in keys/known_hosts, found another key; if it was "
        "reinstalled, remove the old key with `ssh-keygen -R 10.0.0.7 -f keys/known_hosts` and record the new one, "
        "else trust nothing there"
    ),
    BARE.key_unknown(): (
        "gpu-01: expected a host key for [gpu-01.example]:2222 in ~/.ssh/known_hosts, found none; "
        "compare its fingerprint at the host's console and record it"
    ),
    WAY.login_refused(): (
        "gpu-01: expected operator to be let in with the key keys/fleet, found the login refused; "
        "check ssh_user, ssh_key and the user's authorized_keys there"
    ),
    BARE.login_refused(): (
        "gpu-01: expected the current user to be let in with a key of the agent, the user's own keys or a password, "
        "found the login refused; check ssh_user, ssh_key and the user's authorized_keys there"
    ),
    WAY.sudo_refused("sudo: a password is required"): (
        "gpu-01: expected operator to have sudo without a password, found `sudo: a password is required`; "
        "grant it in /etc/sudoers.d there, or set _sudo_password in the inventory"
    ),
    PLACE.operation_failed(100, ["", *"abcdef", " "]): (
        "gpu-01: expected operation `Base | Hold the kernel` to succeed, found exit status 100; "
        "the 2 operations after it were not run\n    b\n    c\n    d\n    e\n    f"
    ),
    Place("gpu-01", "Last").operation_failed(None, []): (
        "gpu-01: expected operation `Last` to succeed, found a failure; it was the last operation"
    ),
    Place("gpu-01").fact_failed("fact `kernel.RunningKernel`", 3, ["no"]): (
        "gpu-01: expected to read fact `kernel.RunningKernel`, found exit status 3; no operation was run\n    no"
    ),
    Place("gpu-01", "Act", 1).fact_failed("fact `kernel.RunningKernel`", None, []): (
        "gpu-01: expected to read fact `kernel.RunningKernel` for operation `Act`, found a failure; "
        "the operation after it was not run"
    ),
    Place("gpu-01").raised("ValueError: x (site.py line 3)"): (
        "gpu-01: expected the deploy to run, found ValueError: x (site.py line 3); no operation was run"
    ),
    PLACE.timed_out(600): (
        "gpu-01: expected operation `Base | Hold the kernel` to end within 600 s, found no end; "
        "the 2 operations after it were not run; the command may still be running there"
    ),
    PLACE.runs_once("Seed"): (
        "gpu-01: expected operation `Seed` to run on every host, found `_run_once`; "
        "put it into a deploy file of its own and use --limit"
    ),
    PLACE.incomplete(2): ("gpu-01: expected every operation complete, found 2 without an end; run the deploy again"),
    Place("gpu-01").stopped(): (
        "gpu-01: expected the run to finish, found it stopped by the operator before its first operation; "
        "run it again to go on"
    ),
    PLACE.abandoned(): (
        "gpu-01: expected the run to finish, found operation `Base | Hold the kernel` abandoned by the operator; "
        "its command may still be running there: see that it ended, then run again"
    ),
    lost("gpu-01", "its process ended by SIGKILL", "preparing"): (
        "gpu-01: expected an end of its run, found its process ended by SIGKILL while at `preparing`; "
        "what was done is not known; run again"
    ),
}


@pytest.mark.parametrize(("text", "expected"), TEXTS.items())
def test_text(text: str, expected: str) -> None:
    assert text == expected
