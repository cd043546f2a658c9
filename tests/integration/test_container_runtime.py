"""containerd on hosts, from Debian's own to the releases of Docker's repository, with files that no release may run by.

One story in the order of the tests, told once for each release: what the role makes of a host; what becomes of it
under bad drop-ins of others; and a container that lives through all of it. The host of Ubuntu is a stand-in.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from gpufleet.containers.configuration import tree as root_tree
from gpufleet.containers.drop_ins import drop_in
from gpufleet.containers.places import found
from gpufleet.containers.schema import ROOT_FILE, runtime_plugin
from gpufleet.containers.settings import Settings
from gpufleet.health import Outcome
from gpufleet.lab import prerequisites
from gpufleet.lab.control_plane import images
from gpufleet.lab.hosts import HostSpec
from gpufleet.lab.inventory import docker_repository, kubernetes_repository
from gpufleet.lab.lab import Lab
from tests.support.lab import Fleet, lab_name
from tests.support.runtime_stages import DEBIAN, DEPLOY, LAB, ROLE, SITE, STAGES, TRACES, UBUNTU, VENDORS, Stage

pytestmark = pytest.mark.kubernetes

HOSTS = {DEBIAN: "debian-13/cpu-only", UBUNTU: "ubuntu-24.04-stand-in/cpu-only"}
#: A release that the matrix knows and the lab's repository has not.
NOT_ON_OFFER = "2.2.0"
#: A release of another schema than this one, and for schema 2 of the same: there a drop-in repeats the root file.
OTHER_SCHEMA = {2: "1.7.24", 3: "1.7.24", 4: "2.2.6"}
#: crictl comes with kubeadm, from the repository that another role uses.
CRICTL = """
set -e
echo 'deb [trusted=yes] {base_url}core:/stable:/v{minor}/deb/ /' >/etc/apt/sources.list.d/kubernetes.list
apt-get -q update && apt-get -q install --yes --no-install-recommends cri-tools
rm /etc/apt/sources.list.d/kubernetes.list
"""


@pytest.fixture(scope="module")
def fleet(state: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Two hosts with nothing but crictl."""
    prerequisites.ensure(print)
    name = f"{lab_name()}-runtime"
    try:
        lab = Lab.up(name, [HostSpec.parse(f"{host}={os}") for host, os in HOSTS.items()], say=print, kubernetes=True)
        fleet = Fleet(lab, tmp_path_factory.mktemp("runtime") / "runtime.py")
        fleet.declare(**{host: {"stack": {"repositories": {"docker": docker_repository()}}} for host in HOSTS})
        minor = ".".join(lab.control_plane.version.split(".")[:2])
        for host in HOSTS:
            fleet.host(host).execute(CRICTL.format(minor=minor, **kubernetes_repository()))
        yield fleet
    finally:
        Lab.remove(name)


@pytest.fixture(scope="module")
def survivors() -> dict[str, list[str]]:
    """Process and state of the container that was started first of all, by host."""
    return {}


@pytest.fixture(scope="module", params=STAGES, ids=lambda stage: stage.name)
def stage(request: pytest.FixtureRequest, fleet: Fleet, survivors: dict[str, list[str]]) -> Stage:
    """Hosts on which a release was installed, over the one of before if there was one."""
    given: Stage = request.param
    given.declare(fleet)
    assert given.told(fleet) == {}
    given.start(fleet, survivors)
    return given


def test_the_release_is_installed_and_held(fleet: Fleet, stage: Stage) -> None:
    said = stage.each(fleet, f"dpkg-query -W -f '${{Version}} ' {stage.package}; containerd --version")
    assert all(text.count(stage.version) > 1 and text.startswith(stage.version) for text in said.values()), said
    assert stage.each(fleet, "apt-mark showhold") == dict.fromkeys(stage.hosts, stage.package)
    pinned = stage.each(fleet, f"apt-cache policy {stage.package} | sed -n 's/^  Candidate: //p'")
    assert pinned == stage.each(fleet, f"dpkg-query -W -f '${{Version}}' {stage.package}")


def test_a_second_run_changes_nothing(fleet: Fleet, stage: Stage) -> None:
    result = fleet.deploy(DEPLOY, limit=stage.hosts)
    assert (result.failures(), result.changed) == ([], 0)


def test_containerd_accepted_the_file_of_its_schema(fleet: Fleet, stage: Stage) -> None:
    assert stage.each(fleet, f"sed -n 's/^version = //p' {ROOT_FILE}") == dict.fromkeys(stage.hosts, str(stage.schema))
    errors = "ctr plugins list | awk '$NF == \"error\" && /cri/'"
    assert stage.each(fleet, errors) == dict.fromkeys(stage.hosts, "")
    listed = stage.each(fleet, "crictl images")
    assert all(images.WORKLOAD.partition(":")[0] in text for text in listed.values()), listed


def test_every_check_passes(fleet: Fleet, stage: Stage) -> None:
    """But for limits that no container host may raise."""
    checks = fleet.verify(ROLE, limit=stage.hosts).checks
    assert {row.host for row in checks} == set(stage.hosts)
    others = {f"{row.host} {row.check}": row.message for row in checks if row.outcome is not Outcome.PASS}
    capped = {f"{host} limits_are_in_force" for host in stage.hosts}
    assert {name: text for name, text in others.items() if name not in capped} == {}
    assert all(text.startswith("containerd: expected its declared limits, found that") for text in others.values())


def test_it_lives_through_bad_drop_ins(fleet: Fleet, stage: Stage) -> None:
    """The containerd that runs goes on as it is, and the host fails with file, line and cure."""
    before, dump = stage.daemons(fleet), stage.each(fleet, "containerd config dump")
    for text, message in stage.bad().items():
        stage.put(fleet, text)
        assert stage.told(fleet) == {host: f"{host}: {message}" for host in stage.hosts}
        assert stage.daemons(fleet) == before
    stage.put(fleet, "")
    assert stage.each(fleet, "containerd config dump") == dump


def test_no_change_lands_beside_a_bad_drop_in(fleet: Fleet, stage: Stage) -> None:
    """Neither another file nor another package, whose installation would start containerd anew."""
    there = f"cat {ROOT_FILE}; dpkg-query -W -f '${{Version}}' {stage.package}"
    before = (stage.each(fleet, there), stage.daemons(fleet))
    text, message = list(stage.bad().items())[-1]
    stage.put(fleet, text)
    later = {"version": VENDORS[-1].version} if stage in VENDORS else {}
    stage.declare(fleet, sandbox_image="registry.example.org/pause:1", **later)
    assert stage.told(fleet) == {host: f"{host}: {message}" for host in stage.hosts}
    assert (stage.each(fleet, there), stage.daemons(fleet)) == before
    stage.put(fleet, "")


def test_a_version_that_is_not_on_offer_takes_nothing(fleet: Fleet, stage: Stage) -> None:
    """Of the other source too, whose packages would have to go first: containerd, its hold and its process stay."""
    there = f"cat {ROOT_FILE}; dpkg-query -W -f '${{Version}}' {stage.package}; apt-mark showhold; command -v runc"
    before = (stage.each(fleet, there), stage.daemons(fleet))
    stage.declare(fleet, source="vendor", version=NOT_ON_OFFER)
    told = stage.told(fleet)
    assert set(told) == set(stage.hosts)
    for host, message in told.items():
        assert message.startswith(f"{host}: expected containerd.io={NOT_ON_OFFER} in an apt repository, found only ")
    assert (stage.each(fleet, there), stage.daemons(fleet)) == before


def test_a_run_that_was_cut_off_between_two_files_is_finished(fleet: Fleet, stage: Stage) -> None:
    """The root file is the new release's, and a drop-in of this suite is still the one of before."""
    stage.declare(fleet)
    tree = root_tree(Settings("registry.example.org/pause:0"), OTHER_SCHEMA[stage.schema])
    runtimes = {"other": {"runtime_type": "io.containerd.runc.v2"}}
    stage.put(fleet, drop_in(tree, {runtime_plugin(tree["version"]): {"containerd": {"runtimes": runtimes}}}))
    assert stage.told(fleet) == {}
    versions = stage.each(fleet, f"sed -n 's/^version = //p' {SITE}")
    assert versions == dict.fromkeys(stage.hosts, str(stage.schema))
    dumps = stage.each(fleet, "containerd config dump")
    assert all("containerd.runtimes.other]" in text and "pause:0" not in text for text in dumps.values()), dumps
    stage.put(fleet, "")
    assert stage.told(fleet) == {}


def test_a_container_lives_through_every_release(fleet: Fleet, stage: Stage, survivors: dict[str, list[str]]) -> None:
    """What is declared anew is in force, and the container of before the first release runs on."""
    stage.declare(fleet, cdi_spec_dirs=["/etc/cdi"])
    assert stage.told(fleet) == {}
    dumps = {host: tomllib.loads(text) for host, text in stage.each(fleet, "containerd config dump").items()}
    dirs = (*("plugins", runtime_plugin(stage.schema)), "cdi_spec_dirs")
    assert {host: found(dump, dirs) for host, dump in dumps.items()} == {host: ["/etc/cdi"] for host in stage.hosts}
    assert stage.containers(fleet) == {host: survivors[host] for host in stage.hosts}
    assert {state for _, state in survivors.values()} == {"RUNNING"}


def test_a_drop_in_that_is_gone_is_out_of_force(fleet: Fleet, survivors: dict[str, list[str]]) -> None:
    """By one restart; no file is newer than the containerd that had read it."""
    last = VENDORS[-1]
    loaded = last.each(fleet, TRACES)
    assert "" not in loaded.values()
    last.put(fleet, last.without_traces())
    assert last.told(fleet) == {}
    assert last.each(fleet, TRACES) == dict.fromkeys(last.hosts, "")
    last.put(fleet, "")
    result = fleet.deploy(DEPLOY)
    assert (result.failures(), result.changed) == ([], len(last.hosts))
    assert last.each(fleet, TRACES) == loaded
    assert last.containers(fleet) == {host: survivors[host] for host in last.hosts}


def test_data_elsewhere_and_nothing_at_all(fleet: Fleet) -> None:
    """One host gets its data on another file system, the other is rid of containerd; what ran there runs on."""
    last = VENDORS[-1]
    elsewhere = {"root": "/data/containerd", "filesystem": "/data"}
    fleet.declare(**{DEBIAN: {ROLE: {**LAB, **last.options, **elsewhere}}, UBUNTU: {ROLE: {"state": "absent"}}})
    assert last.told(fleet) == {}
    result = fleet.deploy(DEPLOY)
    assert (result.failures(), result.changed) == ([], 0)
    checks = fleet.verify(ROLE).checks
    assert {row.check for row in checks if row.outcome is not Outcome.PASS} <= {"limits_are_in_force"}
    images_there = fleet.host(DEBIAN).execute("ctr --namespace k8s.io images list --quiet").stdout
    assert images.WORKLOAD in images_there.splitlines()
    left = fleet.host(UBUNTU).execute(
        f"ls {ROOT_FILE} /usr/bin/runc; apt-mark showhold; pgrep --count containerd-shim", check=False
    )
    assert left.stdout == "1\n"
