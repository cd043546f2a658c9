"""The rows that gpufleet ships: properties that hold for all of them, and the facts that users trip over."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpufleet.stack.machine import System
from gpufleet.stack.matrix import Matrix, driver_rows, load
from gpufleet.stack.matrix.rows import GENERATIONS, Branches, Flavor, Profile, Row
from gpufleet.stack.versions import branch, numbers

MATRIX = load()
SYSTEMS = sorted({system for row in MATRIX.schemes for system in row.systems})


@pytest.mark.parametrize("subject", sorted(Matrix.model_fields))
def test_every_subject_has_rows(subject: str) -> None:
    assert getattr(MATRIX, subject)


@given(st.sampled_from(MATRIX.rows))
def test_every_row_has_a_source_a_date_and_a_name_of_its_own(row: Row) -> None:
    assert row.source
    assert datetime.date(2020, 1, 1) < row.date <= datetime.date(2026, 12, 31)
    assert [other for other in MATRIX.rows if other.place == row.place] == [row]
    assert row.verified or len(row.note) > 20


@given(st.sampled_from(MATRIX.rows))
def test_ranges_are_ordered(row: object) -> None:
    branches = getattr(row, "branches", None)
    if isinstance(branches, Branches) and branches.last is not None:
        assert branches.first <= branches.last
    for began, ended in (("first_release", "end_of_life"), ("released", "end_of_life")):
        first, last = getattr(row, began, None), getattr(row, ended, None)
        assert not (first and last) or first <= last


@given(st.sampled_from(MATRIX.branches), st.sampled_from(SYSTEMS), st.sampled_from(["nvidia", "distribution"]))
def test_at_most_one_row_answers(number: driver_rows.Branch, system: str, origin: str) -> None:
    own = number.branch
    cells = [
        (row.flavor, row.profile, row.modules)
        for row in MATRIX.schemes
        if system in row.systems and own in row.branches and row.origin == origin
    ]
    assert len(cells) == len(set(cells))


@given(st.sampled_from(MATRIX.releases))
def test_releases_belong_to_the_branch_they_begin_with(release: driver_rows.Release) -> None:
    version = release.version
    found = MATRIX.branch_of(version)
    assert found
    assert found.branch == branch(version)
    newest = MATRIX.newest_release(found.branch)
    assert newest
    assert numbers(newest.version) >= numbers(version)


@pytest.mark.parametrize("number", [535, 570, 580, 590, 595])
@pytest.mark.parametrize("flavor", ["open", "proprietary"])
@pytest.mark.parametrize("profile", ["compute", "full"])
@pytest.mark.parametrize("system", ["ubuntu-22.04", "ubuntu-24.04", "debian-12", "el-9"])
def test_nvidia_packages_every_branch_from_535_on(number: int, flavor: Flavor, profile: Profile, system: str) -> None:
    row = MATRIX.scheme(system, "nvidia", number, flavor, profile)
    assert row
    assert MATRIX.repository("cuda", system, "x86_64")


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_proprietary_modules_are_gone_from_615_on(system: str) -> None:
    assert MATRIX.scheme(system, "nvidia", 615, "proprietary", "compute") is None
    assert MATRIX.scheme(system, "nvidia", 615, "open", "compute")


def test_systems_are_written_as_machines_give_them() -> None:
    known = [("ubuntu", "24.04"), ("ubuntu", "22.04"), ("debian", "12"), ("debian", "13"), ("rocky", "9.6"),
             ("rhel", "10.1"), ("almalinux", "8.10")]  # fmt: skip
    assert {System(*system).release for system in known} == set(SYSTEMS)


@pytest.mark.parametrize("name", GENERATIONS)
def test_generations_have_a_branch_that_is_not_over(name: str) -> None:
    row = MATRIX.generation(name)
    assert row
    assert row.last_branch == (580 if name in {"maxwell", "pascal", "volta"} else None)
    assert (row.open_modules == "required") == (name in {"grace_hopper", "blackwell"})
    assert (row.open_modules == "impossible") == (name in {"maxwell", "pascal", "volta"})


#: Fingerprints as they stand in the keys of vendors' repositories.
FINGERPRINTS = {
    "GPG-KEY-Mellanox.pub": "",
    "3bf863cc.pub": "EB693B3035CD5710E231E123A4B469963BF863CC",
    "8793F200.pub": "02182E60104FCDC26EAE1B8597A5D4CB8793F200",
    "D42D0685.pub": "610C7B14E068A878070DA4E99CD0A493D42D0685",
    "CDF6BA43.pub": "",
    "gpg": "9DC858229FC7DD38854AE2D88D81803C0EBFCD88",
    "../../../gpgkey": "C95B321B61E88C1809C4F759DDCAE044F796ECB0",
    "../../../gpg": "060A61C51B558A7F742B77AAC52FEB6B621E9F35",
    "Release.key": "DE15B14486CD377B9E876E1A234654DA9A296436",
    "repodata/repomd.xml.key": "DE15B14486CD377B9E876E1A234654DA9A296436",
}


def test_keys_of_repositories() -> None:
    assert {row.key_file: row.fingerprint for row in MATRIX.repositories} == FINGERPRINTS
    for key_file, fingerprint in FINGERPRINTS.items():
        named = key_file.removesuffix(".pub").upper() if fingerprint and key_file.endswith(".pub") else ""
        assert fingerprint.endswith(named)
