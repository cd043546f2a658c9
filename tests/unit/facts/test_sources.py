"""Components switched on in archive sources of both formats, all else left as it was."""

from __future__ import annotations

from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpufleet.facts.sources import components, with_components

NON_FREE = ["contrib", "non-free"]

ONE_LINE = """\
# Debian
deb http://archive/debian bookworm main   # the archive
deb-src [arch=amd64 signed-by=/etc/apt/keyrings/own.gpg] http://archive/debian/ bookworm main contrib
\tdeb mirror+file:/etc/apt/mirrors/debian-security.list bookworm-security main
# deb http://archive/debian bookworm-backports main
deb https://download.docker.com/linux/debian bookworm stable
deb [trusted=yes] file:/srv/repo ./
deb https://apt.example.com bookworm main
"""

ONE_LINE_ON = """\
# Debian
deb http://archive/debian bookworm main contrib non-free   # the archive
deb-src [arch=amd64 signed-by=/etc/apt/keyrings/own.gpg] http://archive/debian/ bookworm main contrib non-free
\tdeb mirror+file:/etc/apt/mirrors/debian-security.list bookworm-security main contrib non-free
# deb http://archive/debian bookworm-backports main
deb https://download.docker.com/linux/debian bookworm stable
deb [trusted=yes] file:/srv/repo ./
deb https://apt.example.com bookworm main
"""

DEB822 = """\
# first
Types: deb
URIs: http://archive:3142/debian
Suites: bookworm bookworm-updates
# between
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: https://snapshot/archive/debian/20250101T000000Z/
Suites: bookworm
components:
 main
 contrib
Check-Valid-Until: no

Enabled: no
Types: deb
URIs: http://archive/debian
Suites: sid
Components: main

Types: deb
URIs: https://developer.download.nvidia.com/compute/cuda/repos/debian12/x86_64/
Suites: /
"""

DEB822_ON = DEB822.replace("Components: main\nSigned", "Components: main contrib non-free\nSigned").replace(
    " main\n contrib\n", " main\n contrib non-free\n"
)


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("/etc/apt/sources.list", ONE_LINE, ONE_LINE_ON),
        ("/etc/apt/sources.list.d/debian.sources", DEB822, DEB822_ON),
        (
            "/etc/apt/sources.list",
            "deb http://archive/debian bookworm main",
            "deb http://archive/debian bookworm main contrib non-free",
        ),
        ("/etc/apt/sources.list", "", ""),
    ],
)
def test_switch_on(path: str, before: str, after: str) -> None:
    assert with_components(path, before, NON_FREE) == after
    assert with_components(path, after, NON_FREE) == after


def test_components_that_all_entries_share() -> None:
    assert components("/etc/apt/sources.list", ONE_LINE) == ["main"]
    assert components("/etc/apt/sources.list", ONE_LINE_ON) == ["main", "contrib", "non-free"]
    assert components("/etc/apt/sources.list.d/debian.sources", DEB822_ON) == ["main", "contrib", "non-free"]
    assert components("/etc/apt/sources.list", "deb https://apt.example.com bookworm main\n") == []


LINES = st.lists(
    st.sampled_from(
        [
            "deb http://archive/debian bookworm main",
            "deb http://archive/debian-security bookworm-security main contrib  # why",
            "deb https://apt.example.com stable main",
            "# a comment",
            "",
        ]
    )
)


@given(LINES, st.lists(st.sampled_from(["main", "contrib", "non-free", "non-free-firmware"]), unique=True))
def test_once_is_enough_and_no_line_is_lost(lines: list[str], wanted: list[str]) -> None:
    text = "".join(f"{line}\n" for line in lines)
    once = with_components("/etc/apt/sources.list", text, wanted)
    assert with_components("/etc/apt/sources.list", once, wanted) == once
    assert len(once.splitlines()) == len(lines)
    if found := components("/etc/apt/sources.list", once):
        assert set(wanted) <= set(found)


def test_a_field_of_several_lines_keeps_its_comments() -> None:
    text = dedent("""\
        Types: deb
        URIs: http://archive/debian
        Suites: trixie
        Components: main
        # firmware too
         non-free-firmware
        """)
    assert with_components("x.sources", text, ["contrib"]) == text.replace(
        "non-free-firmware", "non-free-firmware contrib"
    )
