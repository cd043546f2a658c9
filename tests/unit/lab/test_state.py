"""A lab's files: whole or absent, keys made once, one writer at a time."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from gpufleet.lab import state
from gpufleet.lab.state import State


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> State:
    monkeypatch.setenv("GPUFLEET_STATE_DIR", str(tmp_path))
    return State("demo")


def test_files_are_replaced_whole(lab: State) -> None:
    state.write(lab.record, "old")
    before = lab.record.open()
    state.write(lab.record, "new", mode=0o600)
    assert (before.read(), lab.record.read_text()) == ("old", "new")
    before.close()
    assert lab.record.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in lab.path.iterdir()] == ["lab.json"]


def test_a_key_is_made_once_and_is_private(lab: State) -> None:
    first = state.ensure_key(lab.key, "demo")
    private = lab.key.read_text()
    assert first.startswith("ssh-ed25519 AAAA")
    assert first.endswith(" demo")
    assert state.ensure_key(lab.key, "demo") == first
    assert lab.key.read_text() == private
    assert lab.key.stat().st_mode & 0o777 == 0o600


def test_no_record_before_the_lab_is_complete(lab: State) -> None:
    assert lab.read() is None
    state.write(lab.record, '{"name": "demo"}')
    assert lab.read() == {"name": "demo"}


def test_a_second_command_waits_and_works_on_the_new_directory(lab: State) -> None:
    """`lab up` that waited for `lab down` must not work in the directory that was just removed."""
    entered, seen = threading.Event(), []

    def second() -> None:
        entered.set()
        with lab.locked():
            seen.append(sorted(path.name for path in lab.path.iterdir()))

    with lab.locked():
        state.write(lab.record, "{}")
        thread = threading.Thread(target=second)
        thread.start()
        assert entered.wait(10)
        lab.remove()
    thread.join(10)
    assert seen == [["lock"]]


def test_removing_leaves_nothing(lab: State, tmp_path: Path) -> None:
    with lab.locked():
        state.write(lab.host("a") / "profile.json", "{}")
        lab.remove()
    assert list(tmp_path.iterdir()) == []
