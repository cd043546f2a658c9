"""Reading apt's sources in both notations, and telling Debian's archives among them."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpufleet.lab import sources
from gpufleet.lab.sources import Source, Upstream

ONE_LINE = """\
# deb http://old.example/debian bookworm main
deb http://deb.example/debian bookworm main contrib # the archive
deb [arch=amd64 signed-by=/usr/share/keyrings/x.gpg] https://packages.example/apt stable main
deb-src http://deb.example/debian bookworm main
deb cdrom:[Debian GNU/Linux 12]/ bookworm main
"""
STANZAS = """\
Types: deb
# a comment inside
URIs: http://deb.example/debian/
Suites: bookworm bookworm-updates
Components: main

Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: bookworm
Components: main

Types: deb deb-src
URIs: http://deb.example/debian-security
 http://other.example/debian-security
Suites: bookworm-security
Components: main
 contrib
"""
RELEASE = "-----BEGIN PGP SIGNED MESSAGE-----\n\nOrigin: {}\nLabel: {}\nSuite: stable\n"


def test_one_line_notation() -> None:
    assert list(sources.one_line(ONE_LINE)) == [
        Source("http://deb.example/debian", ("bookworm",), ("main", "contrib")),
        Source("https://packages.example/apt", ("stable",), ("main",)),
    ]


def test_deb822_notation() -> None:
    both = ("bookworm-security",), ("main", "contrib")
    assert list(sources.deb822(STANZAS)) == [
        Source("http://deb.example/debian", ("bookworm", "bookworm-updates"), ("main",)),
        Source("http://deb.example/debian-security", *both),
        Source("http://other.example/debian-security", *both),
    ]


def test_a_machine_with_both_notations(tmp_path: Path) -> None:
    (tmp_path / "sources.list").write_text("deb http://one.example/debian trixie main\n")
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list.d/debian.sources").write_text(STANZAS)
    (tmp_path / "sources.list.d/debian.sources.bak").write_text("deb http://never.example/ x main\n")
    assert [source.uri for source in sources.read(tmp_path)] == [
        "http://one.example/debian",
        "http://deb.example/debian",
        "http://deb.example/debian-security",
        "http://other.example/debian-security",
    ]


def test_a_machine_without_apt(tmp_path: Path) -> None:
    assert sources.read(tmp_path / "none") == []


def test_a_list_of_mirrors_stands_for_its_first(tmp_path: Path) -> None:
    mirrors = tmp_path / "mirrors.list"
    mirrors.write_text("http://near.example/debian\nhttp://far.example/debian\n")
    line = f"deb mirror+file://{mirrors} bookworm main"
    assert list(sources.one_line(line)) == [Source("http://near.example/debian", ("bookworm",), ("main",))]


@pytest.mark.parametrize(
    ("releases", "found"),
    [
        pytest.param(
            {"http://a.example": ("Debian", "Debian"), "http://s.example": ("Debian", "Debian-Security")},
            Upstream("http://a.example", "http://s.example"),
            id="both archives",
        ),
        pytest.param({"http://a.example": ("Debian", "Debian")}, Upstream("http://a.example", None), id="no security"),
        pytest.param({"http://a.example": ("Vendor", "Debian")}, None, id="a vendor's archive"),
        pytest.param({"http://s.example": ("Debian", "Debian-Security")}, None, id="security alone"),
        pytest.param({}, None, id="unreachable"),
    ],
)
def test_archives_are_told_by_their_release_files(releases: dict[str, tuple[str, str]], found: Upstream | None) -> None:
    given = [
        Source(uri, ("bookworm",), ("main",)) for uri in ("http://v.example", "http://a.example", "http://s.example")
    ]

    def probe(uri: str, suite: str) -> str | None:
        assert suite == "bookworm"
        return RELEASE.format(*releases[uri]) if uri in releases else None

    assert sources.discover(given, probe) == found


def test_a_source_without_main_is_not_asked() -> None:
    def probe(uri: str, suite: str) -> str | None:
        raise AssertionError(f"asked {uri} for {suite}")

    assert sources.discover([Source("http://a.example", ("bookworm",), ("contrib",))], probe) is None


def test_age_checks_that_the_machine_has_switched_off_are_taken_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "apt-config"
    program.write_text('#!/bin/sh\n[ "$3" != Acquire::Check-Valid-Until ] || echo "value=\'false\'"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert sources.age_settings() == 'Acquire::Check-Valid-Until "false";\n'


def test_no_age_settings_without_apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert sources.age_settings() == ""
