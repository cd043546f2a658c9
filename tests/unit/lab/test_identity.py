"""What a stand-in says that it is."""

from __future__ import annotations

import pytest

from gpufleet.lab import identity
from gpufleet.lab.names import SYSTEMS

pytestmark = pytest.mark.usefixtures("own_cache")

FOLDER = "/usr/lib/gpufleet-lab-machine/stand-in"


@pytest.fixture
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the key that the first build makes out of the user's cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))


def texts(system: str) -> dict[str, str]:
    """The files written for a system, by their names."""
    files = {entry.path.removeprefix(f"{FOLDER}/"): entry.data for entry in identity.files(SYSTEMS[system])}
    return {name: data.decode() for name, data in files.items() if not name.endswith((".rpm", ".gpg"))}


@pytest.mark.parametrize("system", ["debian-12", "debian-13"])
def test_debian_is_itself(system: str) -> None:
    assert (identity.files(SYSTEMS[system]), identity.steps(SYSTEMS[system])) == ([], [])


def test_ubuntu_as_its_files_name_it() -> None:
    found = texts("ubuntu-24.04-stand-in")
    assert found["os-release"] == (
        'PRETTY_NAME="Ubuntu 24.04.3 LTS"\nNAME="Ubuntu"\nVERSION_ID="24.04"\nVERSION="24.04.3 LTS (Noble Numbat)"\n'
        "VERSION_CODENAME=noble\nID=ubuntu\nID_LIKE=debian\nUBUNTU_CODENAME=noble\n"
    )
    assert found["lsb-release"] == (
        'DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=24.04\nDISTRIB_CODENAME=noble\nDISTRIB_DESCRIPTION="Ubuntu 24.04.3 LTS"\n'
    )


def test_ubuntu_finds_its_own_driver_in_the_component_restricted() -> None:
    assert texts("ubuntu-22.04-stand-in")["ubuntu.sources"] == (
        "Types: deb\nURIs: http://archive:3142/ubuntu\nSuites: jammy jammy-updates jammy-security\n"
        "Components: restricted\nSigned-By: /usr/share/keyrings/ubuntu-archive-keyring.gpg\n"
    )


def test_rocky_as_its_files_name_it() -> None:
    found = texts("rocky-9-stand-in")
    assert found["os-release"].splitlines()[:7] == [
        'NAME="Rocky Linux"',
        'VERSION="9.6 (Blue Onyx)"',
        'ID="rocky"',
        'ID_LIKE="rhel centos fedora"',
        'VERSION_ID="9.6"',
        'PLATFORM_ID="platform:el9"',
        'PRETTY_NAME="Rocky Linux 9.6 (Blue Onyx)"',
    ]
    assert found["redhat-release"] == "Rocky Linux release 9.6 (Blue Onyx)\n"


def test_a_fresh_rocky_has_its_base_repositories_and_crb_off() -> None:
    stanzas = texts("rocky-10-stand-in")["rocky.repo"].split("\n\n")
    assert [stanza.splitlines()[0] + stanza.splitlines()[-2] for stanza in stanzas] == [
        "[baseos]enabled=1",
        "[appstream]enabled=1",
        "[extras]enabled=1",
        "[crb]enabled=0",
    ]
    assert "baseurl=http://archive:3142/el/$releasever/CRB/$basearch/" in stanzas[3]


@pytest.mark.parametrize("system", [name for name in SYSTEMS if name.endswith("-stand-in")])
def test_the_name_of_a_stand_in_is_what_its_os_release_says(system: str) -> None:
    fields = SYSTEMS[system].os_release
    version = fields["VERSION_ID"] if fields["ID"] == "ubuntu" else fields["VERSION_ID"].partition(".")[0]
    assert system == f"{fields['ID']}-{version}-stand-in"


def test_rocky_takes_modules_of_dkms_before_those_of_its_kernel() -> None:
    entries = {entry.path: entry.data for entry in identity.files(SYSTEMS["rocky-9-stand-in"])}
    assert entries["/etc/depmod.d/dist.conf"] == b"search updates extra built-in weak-updates\n"
