"""Images are named by what is in them."""

from __future__ import annotations

import dataclasses
import datetime
from pathlib import Path

import pytest

from gpufleet.lab import bundle, recipe
from gpufleet.lab.base import environment
from gpufleet.lab.bundle import Entry
from gpufleet.lab.recipe import Recipe

ONE = Recipe("debian-12", week="2026-W48")
PARTS = [Entry("/a", b"1")]


def test_equal_content_has_an_equal_tag() -> None:
    assert ONE.tag(PARTS) == Recipe("debian-12", week="2026-W48").tag([Entry("/a", b"1")])
    assert ONE.tag(PARTS).startswith("gpufleet-lab:debian-12-host-")


@pytest.mark.parametrize(
    "change",
    [{"system": "debian-13"}, {"week": "2026-W49"}, {"image": "debian:12"}],
    ids=lambda change: next(iter(change)),
)
def test_another_base_is_another_image(change: dict[str, str]) -> None:
    other = dataclasses.replace(ONE, **change)
    assert (other.base_tag() == ONE.base_tag(), other.tag(PARTS) == ONE.tag(PARTS)) == (False, False)


@pytest.mark.parametrize("entry", [Entry("/a", b"2"), Entry("/b", b"1"), Entry("/a", b"1", mode=0o755)])
def test_other_files_are_another_image_on_the_same_base(entry: Entry) -> None:
    assert ONE.tag([entry]) != ONE.tag(PARTS)


def test_the_package_list_is_part_of_the_base(monkeypatch: pytest.MonkeyPatch) -> None:
    before = ONE.base_tag()
    monkeypatch.setattr(recipe, "PACKAGES", (*recipe.PACKAGES, "hello"))
    assert ONE.base_tag() != before


def test_stand_ins_of_a_family_share_the_layer_of_packages() -> None:
    jammy, noble, rocky = (
        Recipe(name) for name in ("ubuntu-22.04-stand-in", "ubuntu-24.04-stand-in", "rocky-9-stand-in")
    )
    assert jammy.base_tag() == noble.base_tag()
    assert noble.base_tag().startswith("gpufleet-lab:ubuntu-stand-in-base-")
    assert rocky.base_tag().startswith("gpufleet-lab:el-stand-in-base-")
    assert (jammy.tag(PARTS), noble.tag(PARTS)) != (noble.tag(PARTS), noble.tag(PARTS))


def test_a_stand_in_begins_with_what_a_build_needs_and_debian_does_not() -> None:
    assert {"gcc", "dkms", "linux-headers-amd64"} & set(ONE.packages) == set()
    assert {"gcc", "dkms", "linux-headers-amd64"} <= set(Recipe("ubuntu-24.04-stand-in").packages)
    rocky = Recipe("rocky-9-stand-in").packages
    assert {"dnf", "rpm", "dracut"} <= set(rocky)
    assert "initramfs-tools" not in rocky


def test_the_week_is_the_iso_week(monkeypatch: pytest.MonkeyPatch) -> None:
    class Clock(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> Clock:
            return cls(2027, 1, 3, tzinfo=tz)  # a Sunday that belongs to the old year

    monkeypatch.setattr(datetime, "datetime", Clock)
    assert recipe.this_week() == "2026-W53"


def test_package_sources_as_debian_lays_them_out() -> None:
    keyring = "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n"
    assert recipe.package_sources(["bookworm", "bookworm-updates"], ["bookworm-security"]) == (
        "Types: deb\nURIs: http://archive:3142/debian\nSuites: bookworm bookworm-updates\nComponents: main\n"
        + keyring
        + "\nTypes: deb\nURIs: http://archive:3142/debian-security\nSuites: bookworm-security\nComponents: main\n"
        + keyring
    )


def test_no_stanza_without_suites() -> None:
    assert recipe.package_sources(["trixie"], []).count("Types:") == 1


def test_a_tree_keeps_programs_executable_and_leaves_caches_out(tmp_path: Path) -> None:
    (tmp_path / "sub/__pycache__").mkdir(parents=True)
    (tmp_path / "sub/__pycache__/x.pyc").write_bytes(b"")
    (tmp_path / "sub/program").write_bytes(b"p")
    (tmp_path / "sub/program").chmod(0o750)
    (tmp_path / "text").write_bytes(b"t")
    assert bundle.tree(tmp_path, "/usr/lib/x") == [
        Entry("/usr/lib/x/sub/program", b"p", 0o755),
        Entry("/usr/lib/x/text", b"t", 0o644),
    ]


def test_the_labs_own_archive_is_not_sought_through_a_proxy() -> None:
    given = {"PATH": "/bin", "http_proxy": "http://proxy.example", "HTTPS_PROXY": "http://proxy.example"}
    assert environment(given, direct=True) == {"PATH": "/bin"}
    assert environment(given, direct=False) == given
