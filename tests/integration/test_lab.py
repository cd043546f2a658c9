"""The lab itself: hosts that boot, reboot and break as asked, made and removed without a trace."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gpufleet.errors import LabError
from gpufleet.lab import archive_process, compilations, containers, docker, network, status, waiting, workshop
from gpufleet.lab.hosts import HostSpec, LabHost
from gpufleet.lab.lab import Lab
from gpufleet.lab.state import State
from gpufleet.project import state_dir
from tests.support.lab import lab_name

HOSTS = ("l12=debian-12/cpu-only", "l13=debian-13/cpu-only")
SPECS = [HostSpec.parse(text) for text in HOSTS]
NAME = f"{lab_name()}-own"
#: Release that os-release must name, per host.
CODENAME = {"l12": "bookworm", "l13": "trixie"}


@pytest.fixture(scope="module")
def lab(state: Path) -> Iterator[Lab]:
    """A lab of this module's own, as its tests restart and break hosts."""
    try:
        made = Lab.up(NAME, SPECS)
        for host in made.hosts:
            host.ssh("sudo apt-get -q update")
        yield made
    finally:
        Lab.remove(NAME)


@pytest.fixture(params=["l12", "l13"])
def host(lab: Lab, request: pytest.FixtureRequest) -> LabHost:
    return lab.host(request.param)


def command(*words: str) -> list[str]:
    """The command line `gpufleet lab ...` on this module's lab."""
    return [str(Path(sys.executable).with_name("gpufleet")), "lab", *words, "--lab", NAME]


def traces(name: str) -> list[str]:
    """What a lab of this name has: containers, network, process, state."""
    lab = State(name)
    found = [*docker.containers(f"gpufleet.lab={name}"), network.find(name), archive_process.find(lab)]
    return [str(thing) for thing in found if thing] + ([str(lab.path)] if lab.path.exists() else [])


def test_a_host_is_a_machine(host: LabHost) -> None:
    report = host.ssh(". /etc/os-release; echo $VERSION_CODENAME; hostname; id -un; sudo id -un; cat /proc/1/comm")
    assert report.stdout.split() == [CODENAME[host.name], host.name, "operator", "root", "systemd"]
    assert host.execute("systemctl is-system-running").stdout == "running\n"
    assert host.ssh("ls /boot/vmlinuz-$(uname -r)", check=False).returncode == 0


def test_an_unknown_host_key_is_refused(host: LabHost, tmp_path: Path) -> None:
    other = Lab.load(NAME).host("l13" if host.name == "l12" else "l12")
    theirs = other.state.host_key(other.name).with_name(f"{other.name}.pub").read_text()
    (tmp_path / "known_hosts").write_text(f"{host.address} {theirs}")
    ssh = [word.replace(str(host.state.known_hosts), str(tmp_path / "known_hosts")) for word in host.ssh_command()]
    result = subprocess.run([*ssh, "true"], capture_output=True, text=True, check=False)
    assert (result.returncode, "Host key verification failed." in result.stderr) == (255, True)


def test_headers_of_the_running_kernel_are_in_apt(host: LabHost) -> None:
    assert host.ssh("apt-cache show --no-all-versions linux-headers-$(uname -r)").stdout.startswith("Package: linux-h")


@pytest.mark.parametrize("way", ["env", "sudo env", "sudo systemd-run --quiet --pipe env"])
def test_what_hosts_compile_is_shared(host: LabHost, way: str) -> None:
    found = {line for line in host.ssh(way).stdout.splitlines() if "CCACHE" in line}
    assert found == {f"{name}={value}" for name, value in compilations.SETTINGS.items()}
    marker = host.ssh("sudo mktemp --tmpdir=$CCACHE_DIR").stdout.strip()
    (compilations.directory() / Path(marker).name).unlink()


def test_reboot_is_a_new_boot_that_keeps_files(host: LabHost) -> None:
    before = host.boot_identity()
    host.execute("echo kept > /var/tmp/kept; echo lost > /run/lost; echo '192.0.2.9 storage' >> /etc/hosts")
    host.ssh("sudo reboot", check=False)
    host.wait_for_new_boot(before)
    assert host.execute("cat /var/tmp/kept; ls /run/lost; tail -n 1 /etc/hosts", check=False).stdout == (
        "kept\n192.0.2.9 storage\n"
    )
    host.execute("sed -i '/storage/d' /etc/hosts")
    assert host.address == Lab.load(NAME).host(host.name).address


def test_a_reboot_without_return_is_reported(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    host = lab.host("l13")
    host.fault("no-return-from-reboot")
    try:
        before = host.boot_identity()
        host.execute("systemctl reboot")
        waiting.until(host.container, "a host that is down", lambda: (not host.boot_identity(), "one that is up"), 60)
        monkeypatch.setattr("gpufleet.lab.hosts.BOOT_SECONDS", 3)
        with pytest.raises(LabError) as refusal:
            host.wait_for_new_boot(before)
    finally:
        monkeypatch.undo()
        host.fault("no-return-from-reboot", clear=True)
    assert str(refusal.value) == (
        f"{host.container}: expected a new boot within 3 seconds, found no answer; "
        f"look into it with `docker logs {host.container}`, or start over with `gpufleet lab down`"
    )


def test_up_again_changes_nothing(lab: Lab) -> None:
    before = [host.boot_identity() for host in lab.hosts]
    record = State(NAME).record.read_text()
    assert Lab.up(NAME).hosts == lab.hosts
    assert [host.boot_identity() for host in lab.hosts] == before
    assert State(NAME).record.read_text() == record


def test_up_restarts_the_archive_and_brings_back_what_is_missing(lab: Lab) -> None:
    archive_process.stop(State(NAME))
    docker.remove(lab.host("l13").container)
    assert [row["state"] for row in status.rows(lab)] == ["running", "down"]
    assert Lab.up(NAME).hosts == lab.hosts
    assert [row["state"] for row in status.rows(lab)] == ["running", "running"]
    lab.host("l13").ssh("sudo apt-get -q update")


def test_status_for_programs(lab: Lab) -> None:
    output = subprocess.run(command("status", "--json"), capture_output=True, text=True, check=True).stdout
    rows = json.loads(output)
    kernels = [host.execute("uname -r").stdout.strip() for host in lab.hosts]
    assert rows == [
        {
            "name": host.name,
            "os": host.os,
            "profile": "cpu-only",
            "address": host.address,
            "state": "running",
            "kernel": kernel,
            "faults": [],
        }
        for host, kernel in zip(lab.hosts, kernels, strict=True)
    ]


def test_a_host_cannot_become_another(lab: Lab) -> None:
    with pytest.raises(LabError) as refusal:
        Lab.up(NAME, [HostSpec("l12", "debian-13", "cpu-only")])
    assert str(refusal.value) == (
        "host l12: expected debian-13/cpu-only, found an existing host that is debian-12/cpu-only; "
        f"run `gpufleet lab down --lab {NAME}` first, or choose another name"
    )


def test_up_and_down_may_be_interrupted_at_any_point(lab: Lab) -> None:
    """Ctrl-C at growing delays until one `up` gets through; then everything is there, and `down` leaves nothing."""
    name = f"{NAME}-int"
    words = [word.replace(NAME, name) for word in command("up", *HOSTS)]
    delay = 0.5
    codes: list[int] = []
    try:
        while not codes or codes[-1] != 0:
            codes.append(interrupted(words, delay))
            delay += 1.5
        assert set(codes) <= {0, 130}
        assert [found.status for found in containers.find(State(name)).values()] == ["running", "running"]
        assert [row["state"] for row in status.rows(Lab.load(name))] == ["running", "running"]
        interrupted([word.replace(NAME, name) for word in command("down")], 1.0)
    finally:
        Lab.remove(name)
    assert traces(name) == []
    assert docker.lines("ps", "--all", f"--filter=name=^{workshop.PREFIX}", "--format={{.Names}}") == []


def test_down_leaves_nothing(state: Path) -> None:
    name = f"{NAME}-down"
    lab = Lab.up(name, SPECS[:1])
    assert len(traces(name)) == 4
    lab.down()
    assert traces(name) == []
    Lab.remove(name)
    assert traces(name) == []
    assert not (state_dir() / "labs" / name).exists()


def interrupted(words: list[str], delay: float) -> int:
    """Run a command, press Ctrl-C after a while unless it has ended; returns its exit status."""
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, start_new_session=True) as process:
        try:
            return process.wait(delay)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGINT)
            return process.wait(60)
