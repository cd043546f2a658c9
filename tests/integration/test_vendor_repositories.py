"""NVIDIA's repositories and Ubuntu's of the lab as apt reads them on both releases of Debian, and dnf on EL 10."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gpufleet.lab import vendors
from gpufleet.lab.hosts import HostSpec, LabHost
from gpufleet.lab.lab import Lab
from gpufleet.lab.vendors import canonical, releases
from tests.support.lab import lab_name

#: A folder for the sources and the pin of one test.
PLACE = "/var/tmp/vendor-repositories"
APT = f"-o Dir::Etc::SourceParts={PLACE}/sources -o Dir::Etc::PreferencesParts={PLACE}/preferences"
HOSTS = ("d12=debian-12/cpu-only", "d13=debian-13/cpu-only", "r10=rocky-10-stand-in/cpu-only")
KEY = f"{PLACE}/key.asc"


@pytest.fixture(scope="module")
def lab(state: Path) -> Iterator[Lab]:
    """Hosts without a driver, which only ask what apt and dnf would do."""
    name = f"{lab_name()}-repositories"
    try:
        yield Lab.up(name, [HostSpec.parse(text) for text in HOSTS])
    finally:
        Lab.remove(name)


@pytest.fixture(params=["d12=debian12", "d12=ubuntu2204", "d13=debian13", "d13=ubuntu2404"])
def host(request: pytest.FixtureRequest, lab: Lab) -> Iterator[LabHost]:
    """A host that knows one of NVIDIA's repositories, for as long as the test runs."""
    name, _, repository = request.param.partition("=")
    address = f"http://archive:3142/nvidia/compute/cuda/repos/{repository}/x86_64/"
    key = releases.read("repositories")[repository]["key"]
    host = lab.host(name)
    host.execute(f"mkdir -p {PLACE} && /usr/lib/apt/apt-helper download-file {address}{key} {KEY}")
    yield from knowing(host, f"deb [signed-by={KEY}] {address} /")


@pytest.fixture(params=["d12=jammy", "d13=noble"])
def ubuntu(request: pytest.FixtureRequest, lab: Lab) -> Iterator[LabHost]:
    """A host that knows Ubuntu's component with the driver, for as long as the test runs."""
    name, _, codename = request.param.partition("=")
    host = lab.host(name)
    host.execute(f"mkdir -p {PLACE} && cat > {KEY} <<'END'\n{vendors.key().armored().decode()}END")
    suites = canonical.suites(codename)
    yield from knowing(host, *(f"deb [signed-by={KEY}] http://archive:3142/ubuntu {one} restricted" for one in suites))


def knowing(host: LabHost, *lines: str) -> Iterator[LabHost]:
    """The host, its apt with these sources beside the host's own."""
    host.execute(f"mkdir -p {PLACE}/sources {PLACE}/preferences && cp /etc/apt/sources.list.d/* {PLACE}/sources")
    text = "\n".join(lines)
    host.execute(f"cat > {PLACE}/sources/more.list <<'END'\n{text}\nEND\napt-get -q {APT} update")
    yield host
    host.execute(f"rm -r {PLACE} && apt-get -q update")


def would_install(host: LabHost, *packages: str) -> dict[str, str]:
    """Package -> version that apt would install."""
    command = f"apt-get {APT} --simulate --no-install-recommends install {' '.join(packages)}"
    lines = [line.split() for line in host.execute(command).stdout.splitlines() if line.startswith("Inst ")]
    return {words[1]: words[2].lstrip("(") for words in lines}


def pin(host: LabHost, glob: str) -> None:
    """What a pinning package does."""
    host.execute(
        f"printf 'Package: *nvidia* libcuda1\\nPin: version {glob}\\nPin-Priority: 1000\\n' > {PLACE}/preferences/pin"
    )


def test_a_pin_keeps_the_driver_and_its_companions_at_one_version(host: LabHost) -> None:
    pin(host, "580.105.08-*")
    found = would_install(host, "cuda-drivers-580", "nvidia-fabricmanager", "nvidia-imex", "libnvidia-nscq")
    driver = {name: version for name, version in found.items() if "nvidia" in name or name == "libcuda1"}
    assert driver["nvidia-fabricmanager"] == "580.105.08-1"
    assert {version.partition("-")[0] for version in driver.values()} == {"580.105.08"}


@pytest.mark.parametrize("host", ["d12=debian12", "d13=debian13"], indirect=True)
def test_without_a_pin_the_branch_package_of_debian_brings_the_newest_driver(host: LabHost) -> None:
    found = would_install(host, "cuda-drivers-580")
    assert found["cuda-drivers-580"] == "580.105.08-1"
    assert found["nvidia-driver"] == found["nvidia-kernel-dkms"] == found["libcuda1"] == "595.58.03-1"


def test_the_pin_of_the_role_chooses_among_the_pockets_of_ubuntu(ubuntu: LabHost) -> None:
    pin(ubuntu, "580.95.05*")
    found = would_install(ubuntu, "nvidia-headless-580-server-open", "nvidia-utils-580-server")
    driver = {name: version for name, version in found.items() if "nvidia" in name}
    assert {"nvidia-dkms-580-server-open", "nvidia-firmware-580-server-580.95.05"} < driver.keys()
    assert {version.partition("-")[0] for version in driver.values()} == {"580.95.05"}


def test_a_branch_that_ubuntu_ended_brings_the_next(ubuntu: LabHost) -> None:
    found = would_install(ubuntu, "nvidia-headless-570-server-open")
    assert found["nvidia-headless-570-server-open"].startswith("570.211.01-0ubuntu1.")
    assert found["nvidia-dkms-580-server-open"].startswith("580.105.08-0ubuntu0.")


@pytest.fixture
def rocky(lab: Lab) -> LabHost:
    """A stand-in of Rocky Linux 10 that knows NVIDIA's repository by the file that lies in it."""
    host = lab.host("r10")
    address = "http://archive:3142/nvidia/compute/cuda/repos/rhel10/x86_64/cuda-rhel10.repo"
    host.execute(f"curl --fail --silent --output /etc/yum.repos.d/cuda-rhel10.repo {address}")
    return host


def test_dnf_reads_the_repository_of_el_10_and_trusts_its_key_alone(rocky: LabHost) -> None:
    query = "dnf --quiet repoquery --qf '%{epoch}:%{version}-%{release}' kmod-nvidia-open-dkms"
    assert "3:580.105.08-1.el10" in rocky.execute(query).stdout.split()
    rocky.execute("dnf --quiet --assumeyes install libnccl-2.28.3-1+cuda13.0")
    assert rocky.execute("rpm -q libnccl").stdout == "libnccl-2.28.3-1+cuda13.0.x86_64\n"
    rocky.execute("rpm -e libnccl && sed -i s/CDF6BA43.pub/D42D0685.pub/ /etc/yum.repos.d/cuda-rhel10.repo")
    rocky.execute("rpm -qa 'gpg-pubkey*' | xargs rpm -e && dnf --quiet clean all")
    refused = rocky.execute("dnf --quiet --assumeyes install libnccl-2.28.3-1+cuda13.0", check=False)
    assert refused.returncode == 1
    assert "rhel10/x86_64/D42D0685.pub" in refused.stderr
