"""The probe's script run by a real shell, and its parser against answers that are cut, damaged or hostile."""

from __future__ import annotations

import base64
import os
import shlex
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpufleet.health import probe
from gpufleet.health.outcomes import CheckError
from gpufleet.health.probe import Probe, Request, Section, parse, script

TOKEN = "probe-0123abcd"

#: Any text that fits into a command line.
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"))


def run(requests: Mapping[str, Request]) -> dict[str, Section]:
    """Run the script here, where the tests need not be root, and parse what it prints as if they were."""
    output = subprocess.run(
        ["/bin/sh", "-c", script(requests, TOKEN)], capture_output=True, check=True, text=True
    ).stdout
    return parse(output.replace(f"{TOKEN} user {os.getuid()}\n", f"{TOKEN} user 0\n"), requests, TOKEN)


def payload(text: bytes, errors: bytes = b"", rc: int = 0) -> str:
    tail = base64.b64encode(errors + b"\n%d" % rc)
    return base64.b64encode(text + b"\n" + tail).decode()


@settings(max_examples=30)
@given(
    text=TEXT,
    errors=TEXT,
    rc=st.integers(0, 123),
    name=st.text(),
)
def test_any_output_comes_back_as_it_was(text: str, errors: str, rc: int, name: str) -> None:
    command = f"printf %s {shlex.quote(text)}; printf %s {shlex.quote(errors)} >&2; exit {rc}"
    expected = Section(name, text.rstrip("\n"), rc, errors.rstrip("\n"))
    assert run({name: Request(command)}) == {name: expected}


@given(content=st.binary(), errors=st.binary(), rc=st.integers(0, 255))
def test_any_bytes_survive_the_parser(content: bytes, errors: bytes, rc: int) -> None:
    output = f"{TOKEN} user 0\n{TOKEN} 0 {payload(content, errors, rc)}\n{TOKEN} end\n"
    section = parse(output, {"x": Request("")}, TOKEN)["x"]
    assert section.text.encode("utf-8", "surrogateescape") == content.rstrip(b"\n")
    assert section.errors.encode("utf-8", "surrogateescape") == errors.rstrip(b"\n")
    assert section.rc == rc


@pytest.mark.parametrize(
    ("command", "text", "rc", "errors"),
    [
        ("true", "", 0, ""),
        ("false", "", 1, ""),
        ("echo a; echo b", "a\nb", 0, ""),
        ("echo a >&2; exit 7", "", 7, "a"),
        ("echo $LC_ALL", "C", 0, ""),
        ("cat", "", 0, ""),
        (f"echo '{TOKEN} end'; echo '{TOKEN} 1 AAAA'", f"{TOKEN} end\n{TOKEN} 1 AAAA", 0, ""),
        ("token=x; section() { echo y; }; echo z", "z", 0, ""),
        ("kill -9 $$", "", 137, "Killed"),
        ("syntax error (", "", 2, '/bin/sh: 1: Syntax error: "(" unexpected'),
        ("head -c 300000 /dev/zero | tr '\\0' x", "x" * 300_000, 0, ""),
    ],
)
def test_what_a_command_does(command: str, text: str, rc: int, errors: str) -> None:
    answers = run({"before": Request("echo 1"), "it": Request(command), "after": Request("echo 2")})
    it = answers["it"]
    assert (answers["before"].text, answers["after"].text) == ("1", "2")
    assert (it.text, it.rc, it.errors.removesuffix(" (core dumped)")) == (text, rc, errors)


def test_a_command_that_takes_too_long_is_ended_and_the_others_answer() -> None:
    answers = run({"slow": Request("echo started; sleep 60", seconds=1), "after": Request("echo 2")})
    assert (answers["slow"].text, answers["slow"].timed_out, answers["after"].text) == ("started", True, "2")
    with pytest.raises(CheckError, match=r"^probe section slow: expected an answer within 1 s, found none$"):
        Probe(answers, seconds=1)["slow"]


@pytest.fixture
def short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "GRACE_SECONDS", 1)


@pytest.mark.usefixtures("short_grace")
def test_a_section_whose_process_stays_is_given_up_and_leaves_nothing_of_ours(tmp_path: Path) -> None:
    """A process in another session stands for one in state D: neither closes its output at any signal of ours."""
    pid = tmp_path / "pid"
    stays = f"setsid sh -c 'echo $$ >{pid}.new; mv {pid}.new {pid}; exec sleep 600' & until [ -f {pid} ]; do :; done"
    answers = run({"stays": Request(f"{stays}; echo started", seconds=1), "after": Request("echo 2")})
    left = int(pid.read_text())
    try:
        assert Path(f"/proc/{left}/cmdline").read_bytes() == b"sleep\x00600\x00"
        assert [process for process in Path("/proc").glob("[0-9]*") if str(tmp_path) in command_of(process)] == []
    finally:
        os.kill(left, signal.SIGKILL)
    assert (answers["stays"].timed_out, answers["after"].text) == (True, "2")
    with pytest.raises(CheckError) as raised:
        Probe(answers)["stays"]
    assert str(raised.value) == (
        "probe section stays: expected an answer within 1 s, found its output held open by a process that it left; "
        "look for one in state D on the host"
    )


def command_of(process: Path) -> str:
    try:
        return (process / "cmdline").read_bytes().decode(errors="replace")
    except OSError:  # it has ended
        return ""


@pytest.mark.usefixtures("short_grace")
@pytest.mark.parametrize("stream", ["1", "2"])
def test_a_section_whose_process_holds_one_stream_is_given_up(tmp_path: Path, stream: str) -> None:
    pid, other = tmp_path / "pid", 3 - int(stream)
    stays = f"setsid sleep 600 {other}>/dev/null & echo $! >{pid}"
    answers = run({"stays": Request(stays, seconds=1), "after": Request("echo 2")})
    os.kill(int(pid.read_text()), signal.SIGKILL)
    assert (answers["stays"].held, answers["after"].text) == (True, "2")


@pytest.mark.parametrize("rc", [124, 137])
def test_a_command_that_itself_ends_with_a_timeouts_status_did_not_time_out(rc: int) -> None:
    section = run({"own": Request(f"exit {rc}")})["own"]
    assert (section.rc, section.timed_out) == (rc, False)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("swap", "probe section swap: expected a name in PROBE; did you mean swaps?"),
        ("kernel", "probe section kernel: expected a name in PROBE; known sections: memory, swaps"),
    ],
)
def test_a_section_that_was_not_asked_for(name: str, message: str) -> None:
    sections = Probe({"swaps": Section("swaps", "", 0), "memory": Section("memory", "", 0)})
    with pytest.raises(CheckError) as raised:
        sections[name]
    assert str(raised.value) == message


WHOLE = f"{TOKEN} user 0\n{TOKEN} 0 {payload(b'a')}\n{TOKEN} 1 {payload(b'b')}\n{TOKEN} end\n"
CUT = "expected every section of the probe, found {} of 2: the script was ended"


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("", "expected the probe's answer, found none"),
        ("Welcome!\nprobe-ffffffff user 0\nprobe-ffffffff end\n", "expected the probe's answer, found none"),
        (
            f"{TOKEN} user 1000\n{TOKEN} end\n",
            "expected the probe to run as root, found user 1000; set _sudo = True in the group data",
        ),
        (f"{TOKEN} user 0\n", CUT.format(0)),
        (f"{TOKEN} user 0\n{TOKEN} 0 {payload(b'a')}\n", CUT.format(0)),
        (WHOLE.removesuffix(f"{TOKEN} end\n"), CUT.format(1)),
        (f"{TOKEN} user 0\n{TOKEN} 0 {payload(b'a')}\n{TOKEN} end\n", CUT.format(1)),
        (
            WHOLE.replace(payload(b"a"), payload(b"a")[:-1]),
            "probe section a: expected a whole answer, found a damaged one",
        ),
        (
            WHOLE.replace(payload(b"a"), f"{payload(b'a')} 1"),
            "probe section a: expected a whole answer, found a damaged one",
        ),
        (WHOLE.replace(payload(b"a"), "AAAA"), "probe section a: expected a whole answer, found a damaged one"),
        (WHOLE.replace(payload(b"a"), "Ã¼Ã¼"), "probe section a: expected a whole answer, found a damaged one"),
    ],
)
def test_an_answer_that_is_not_whole(output: str, message: str) -> None:
    with pytest.raises(CheckError) as raised:
        parse(output, {"a": Request("echo a"), "b": Request("echo b")}, TOKEN)
    assert str(raised.value) == message


def test_noise_around_the_answer_is_passed_over() -> None:
    noisy = WHOLE.replace("\n", f"\nLast login: {TOKEN}\n")
    assert parse(f"motd\n{noisy}bye", {"a": Request(""), "b": Request("")}, TOKEN)["b"].text == "b"


@pytest.mark.parametrize(
    ("text", "lines"), [("", []), ("a", ["a"]), ("a\n\nb", ["a", "", "b"]), ("a\x0bb", ["a\x0bb"])]
)
def test_lines(text: str, lines: list[str]) -> None:
    assert Section("x", text, 0).lines == lines
