"""NVIDIA's container toolkit on hosts with driver and containerd: one story in the order of the tests.

All packages come at one release and are held; another driver leaves a specification behind that a check sees and the
role writes anew; the toolkit moves up as a whole; links come back, those of a fabric manager's host and those that
somebody else made wrong; a boot describes the devices before containerd starts; nothing goes while containers need it,
and nothing is left in the end. Ubuntu and Rocky Linux are stand-ins, the toolkit's programs too; the containerd
of the first is Debian's, and the second has none, which its host fails for once everything else is done.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gpufleet.containers.gpu_devices import SPECIFICATION
from gpufleet.facts.gpu_containers import TASKS
from gpufleet.health import Outcome
from gpufleet.lab import prerequisites
from gpufleet.lab.hosts import HostSpec
from gpufleet.lab.inventory import nvidia_repository, toolkit_repository
from gpufleet.lab.lab import Lab
from gpufleet.project import ROOT
from gpufleet.stack.container_toolkit_choice import PACKAGES
from roles.container_toolkit.steps import CONFIGURATION, DROP_IN, LINKS, UNIT
from tests.support.lab import Fleet, lab_name

ROLE, DEPLOY = "container_toolkit", "container_toolkit.py"
DEBIAN, UBUNTU, ROCKY = "d13", "u24", "r9"
HOSTS = {
    DEBIAN: "debian-13/l40s-pcie",
    UBUNTU: "ubuntu-24.04-stand-in/hgx-h100",
    ROCKY: "rocky-9-stand-in/l40s-pcie",
}
READY = (DEBIAN, UBUNTU)
OLD, NEW = "580.95.05", "580.105.08"
#: containerd 1.6 is too old for 1.19 and later ones.
RELEASES = {DEBIAN: "1.17.8", UBUNTU: "1.18.2", ROCKY: "1.20.0"}
RUNTIME = {"restrict_oom_score_adj": True, "snapshotter": "native"}
#: Rows by which the stand-in of Ubuntu has a containerd: Molecule's scenario of the role has the same.
OVERLAY = ROOT / "tests/molecule/container_toolkit/stack.yaml"
WITHOUT_CONTAINERD = (
    f"{ROCKY}: /etc/containerd/config.toml: expected a file of version 2, 3, 4, found none; give the host the key "
    "container_runtime, or write the file in a version that its containerd reads"
)
#: What a check says of a node without a link.
UNLINKED = "/dev/char: expected links that lead to every device, found none to {}; deploy the role, or run `{}`"
SHOW = "systemctl show --property={} --value {}"


@pytest.fixture(scope="module")
def fleet(state: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Hosts with GPUs, and with what containers need beside the toolkit."""
    prerequisites.ensure(print)
    name, folder = f"{lab_name()}-toolkit", tmp_path_factory.mktemp("toolkit")
    (folder / "stack.yaml").write_bytes(OVERLAY.read_bytes())
    specs = [HostSpec.parse(f"{host}={system}") for host, system in HOSTS.items()]
    try:
        fleet = Fleet(Lab.up(name, specs, say=print), folder / "toolkit.py")
        repositories = {"cuda": nvidia_repository(), "nvidia-container-toolkit": toolkit_repository()}
        fleet.declare(**{host: {"base": {}, "stack": {"repositories": repositories}} for host in HOSTS})
        fleet.declare(**{host: {"nvidia_driver": {"version": OLD, "source": "nvidia"}, ROLE: {}} for host in HOSTS})
        fleet.declare(**{DEBIAN: {"container_runtime": RUNTIME, ROLE: {"version": RELEASES[DEBIAN]}}})
        fleet.declare(**{UBUNTU: {"container_runtime": {**RUNTIME, "version": "1.6.20"}}})
        assert fleet.deploy("base.py", "driver.py", "container_runtime.py").failures() == []
        yield fleet
    finally:
        Lab.remove(name)


def failing(fleet: Fleet, *hosts: str) -> dict[str, str]:
    """Message of every check of the role that did not pass."""
    checks = fleet.verify(ROLE, limit=hosts).checks
    assert checks, "no check ran"
    return {row.check: row.message for row in checks if row.outcome is not Outcome.PASS}


def changed(fleet: Fleet, *hosts: str) -> int:
    """Deploy the role; return how many operations changed something."""
    result = fleet.deploy(DEPLOY, limit=hosts)
    assert result.failures() == []
    return result.changed


def versions(fleet: Fleet, host: str) -> dict[str, str]:
    """Releases of the toolkit's packages, and whether each is held."""
    if host == ROCKY:
        names = fleet.host(host).execute("rpm -q --qf '%{NAME} %{VERSION}\\n' " + " ".join(PACKAGES)).stdout
        locked = fleet.host(host).execute("cat /etc/dnf/plugins/versionlock.list").stdout
        rows = [line.split() for line in names.splitlines()]
        return {name: f"{version} {'held' if f'{name}-0:{version}-1' in locked else 'loose'}" for name, version in rows}
    asked = "dpkg-query -W -f '${Package} ${Version} ${db:Status-Want}\\n' " + " ".join(PACKAGES)
    rows = [line.split() for line in fleet.host(host).execute(asked).stdout.splitlines()]
    return {name: f"{version.removesuffix('-1')} {'held' if want == 'hold' else want}" for name, version, want in rows}


def test_one_release_held_and_a_second_run_that_changes_nothing(fleet: Fleet) -> None:
    assert changed(fleet, *READY) > 0
    assert changed(fleet, *READY) == 0
    for host in READY:
        assert versions(fleet, host) == dict.fromkeys(PACKAGES, f"{RELEASES[host]} held")


def test_every_check_passes(fleet: Fleet) -> None:
    assert failing(fleet, *READY) == {}


def test_a_host_without_containerd_fails_when_everything_else_is_done(fleet: Fleet) -> None:
    [message] = fleet.deploy(DEPLOY, limit=(ROCKY,)).failures()
    assert WITHOUT_CONTAINERD in message
    again = fleet.deploy(DEPLOY, limit=(ROCKY,))
    assert (again.failures(), again.changed) == ([message], 0)
    assert versions(fleet, ROCKY) == dict.fromkeys(PACKAGES, f"{RELEASES[ROCKY]} held")
    assert set(failing(fleet, ROCKY)) == {"runtime_is_declared", "containerd_runs_with_it"}


def test_another_driver_is_seen_and_described(fleet: Fleet) -> None:
    fleet.declare(**{DEBIAN: {"nvidia_driver": {"version": NEW, "source": "nvidia"}}})
    assert fleet.deploy("driver.py", limit=(DEBIAN,)).failures() == []
    assert failing(fleet, DEBIAN) == {
        "specification_is_of_the_driver_and_its_devices": f"{SPECIFICATION}: expected driver {NEW} and its 4 "
        f"devices, found files of driver {OLD}; deploy the role, or run `systemctl restart {UNIT}`"
    }
    assert changed(fleet, DEBIAN) == 1
    assert failing(fleet, DEBIAN) == {}


def test_a_newer_release_comes_whole(fleet: Fleet) -> None:
    fleet.declare(**{DEBIAN: {ROLE: {"default_runtime": True, "mode": "cdi"}}})
    assert changed(fleet, DEBIAN) > 0
    assert changed(fleet, DEBIAN) == 0
    assert versions(fleet, DEBIAN) == dict.fromkeys(PACKAGES, "1.20.0 held")


@pytest.mark.parametrize(
    ("spoil", "number", "node"),
    [
        ("rm /dev/char/195:0", "195:0", "/dev/nvidia0"),
        ("ln -sfn /run/nvidia/driver/dev/nvidia0 /dev/char/195:0", "195:0", "/dev/nvidia0"),
        ("ln -sfn ../nvidia-gone /dev/char/506:0", "506:0", "/dev/nvidia-caps/nvidia-cap0"),
    ],
    ids=["gone", "of a driver's container that is gone", "of fabric manager"],
)
def test_a_link_that_is_wrong_is_seen_and_made_again(fleet: Fleet, spoil: str, number: str, node: str) -> None:
    fleet.host(UBUNTU).execute(spoil)
    assert failing(fleet, UBUNTU) == {"devices_are_linked": UNLINKED.format(node, f"systemctl restart {UNIT}")}
    assert changed(fleet, UBUNTU) == 1
    assert changed(fleet, UBUNTU) == 0
    assert fleet.host(UBUNTU).execute(f"readlink /dev/char/{number}").stdout.strip() == node
    assert failing(fleet, UBUNTU) == {}


def test_a_boot_describes_the_devices_before_containerd_starts(fleet: Fleet) -> None:
    host = fleet.host(DEBIAN)
    host.reboot()
    done = int(host.execute(SHOW.format("InactiveExitTimestampMonotonic", "containerd.service")).stdout)
    assert int(host.execute(SHOW.format("ActiveEnterTimestampMonotonic", UNIT)).stdout) <= done
    assert failing(fleet, DEBIAN) == {}


def test_nothing_goes_while_a_container_runs_by_it(fleet: Fleet) -> None:
    """What containerd keeps of a container stands there alone, with the first process of the host as its own."""
    host, folder = fleet.host(UBUNTU), f"{TASKS}/k8s.io/1f2e"
    host.execute(f"mkdir -p {folder} && printf /usr/bin/nvidia-container-runtime > {folder}/runtime")
    host.execute(f"printf 1 > {folder}/init.pid && echo '{{}}' > {folder}/config.json")
    kept = fleet.declared[UBUNTU][ROLE]
    fleet.declare(**{UBUNTU: {ROLE: {"state": "absent"}}})
    result = fleet.deploy(DEPLOY, limit=(UBUNTU,))
    [message] = result.failures()
    assert (
        f"{UBUNTU}: /usr/bin/nvidia-container-runtime: expected no container that runs by it, found k8s.io/1f2e; end "
        "them, as by draining the node and taking away the daemon sets of the runtime class nvidia, and deploy again: "
        "nothing could stop or delete them without it"
    ) in message
    assert result.changed == 0
    host.execute(f"rm -r {folder}")
    fleet.declare(**{UBUNTU: {ROLE: kept}})
    assert changed(fleet, UBUNTU) == 0
    assert failing(fleet, UBUNTU) == {}


def test_a_removal_that_was_cut_off_is_finished(fleet: Fleet) -> None:
    """The drop-in is gone and containerd runs with what it said: it starts again before the program goes."""
    host = fleet.host(DEBIAN)
    started = SHOW.format("ActiveEnterTimestampMonotonic", "containerd.service")
    before = int(host.execute(started).stdout)
    host.execute(f"rm /{DROP_IN}")
    fleet.declare(**{DEBIAN: {ROLE: {"state": "absent"}}})
    assert changed(fleet, DEBIAN) > 0
    assert int(host.execute(started).stdout) > before
    assert changed(fleet, DEBIAN) == 0


def test_nothing_is_left(fleet: Fleet) -> None:
    gone: dict[str, Any] = {ROLE: {"state": "absent"}}
    fleet.declare(**dict.fromkeys(HOSTS, gone))
    assert changed(fleet, *HOSTS) > 0
    assert changed(fleet, *HOSTS) == 0
    assert failing(fleet, *HOSTS) == {}
    paths = f"/{DROP_IN} /{CONFIGURATION} /{LINKS} {SPECIFICATION} /etc/systemd/system/*nvidia-devices*"
    left = f"ls -d {paths} 2>/dev/null; true"
    assert {host: fleet.host(host).execute(left).stdout for host in HOSTS} == dict.fromkeys(HOSTS, "")
