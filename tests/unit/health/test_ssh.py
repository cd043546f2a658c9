"""A host that falls silent is given up: before its first word, after it, or for saying too much; others are heard."""

from __future__ import annotations

import os
from pathlib import Path
from types import ModuleType

import pytest
from testinfra.host import Host

from gpufleet.health import prober, ssh
from gpufleet.health.outcomes import CheckError
from gpufleet.health.probe import Request
from gpufleet.health.prober import Prober, patience
from gpufleet.health.ssh import OverdueError, Patience
from gpufleet.inventory.hosts import InventoryHost
from tests.support.played_ssh import is_read, of, ssh_that


@pytest.fixture
def never(tmp_path: Path) -> Path:
    """A fifo that nobody writes to."""
    os.mkfifo(tmp_path / "never")
    return tmp_path / "never"


@pytest.mark.parametrize(
    ("before", "limits", "word", "seconds"),
    [
        ("", Patience(0.2, 60, 120), "first", 0.2),
        ("echo Permission >&2;", Patience(0.2, 60, 120), "first", 0.2),
        ("echo one;", Patience(60, 0.2, 120), "next", 0.2),
        ("echo one;", Patience(60, 60, 0.5), "last", 0.5),
        ("while echo more; do sleep 0.01; done;", Patience(60, 60, 0.5), "last", 0.5),
        ("exec >/dev/null 2>&1;", Patience(60, 0.2, 120), "last", 0.2),
    ],
)
def test_a_host_that_falls_silent(
    never: Path, monkeypatch: pytest.MonkeyPatch, before: str, limits: Patience, word: str, seconds: float
) -> None:
    ssh_that(f"{before} exec cat {never} 2>/dev/null", never.parent / "bin", monkeypatch)
    with pytest.raises(OverdueError) as raised:
        ssh.run(of("gpu-01"), "true", limits)
    assert (raised.value.word, raised.value.seconds) == (word, seconds)
    assert not is_read(never)


def test_a_silent_host_keeps_no_other_from_its_answer(never: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one blocks in the middle of its answer; the other says all of its own at once."""
    whole = """said=$(sh -c "$text"); printf '%s\\n' "$said" """
    ssh_that(f"case $host in gpu-01) echo one; exec cat {never};; esac; {whole}", never.parent / "bin", monkeypatch)
    monkeypatch.setattr(prober, "patience", lambda asked: Patience(60, 2, 120))
    module, asking = ModuleType("checks"), Prober()
    vars(module)["PROBE"] = {"word": "echo there"}
    for name in ("gpu-01", "gpu-02"):
        asking.start(of(name), InventoryHost(name, "ssh", (), {}), [module])
    assert asking.answer("gpu-02", module)["word"].text == "there"
    with pytest.raises(CheckError) as raised:
        asking.answer("gpu-01", module)
    assert str(raised.value) == (
        "expected the next word of the probe within 2 s, found none; "
        "log in and look for what hangs, such as a process in state D"
    )
    assert raised.value.whole_host
    asking.close()
    assert not is_read(never)


def test_how_long_a_host_may_take() -> None:
    """A section may take its seconds, and those of its end: 5 to be asked, 5 to be killed, 1 to be given up."""
    assert patience([Request("true", 20), Request("true", 480)]) == Patience(60, 60 + 491, 60 + 491 + 31 + 491)


@pytest.mark.parametrize(("rc", "errors"), [(0, ""), (7, "no"), (255, "refused\n")])
def test_what_a_host_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rc: int, errors: str) -> None:
    ssh_that(f"printf %s '{errors}' >&2; echo \"$text\"; exit {rc}", tmp_path / "bin", monkeypatch)
    assert ssh.run(of("gpu-01"), "one two", Patience(60, 60, 60)) == ssh.Answer(rc, b"one two\n", errors)


def test_a_host_that_is_not_reached_by_ssh() -> None:
    with pytest.raises(TypeError, match=r"^expected a host that is reached by SSH, found the backend local$"):
        ssh.run(Host.get_host("local://"), "true", Patience(60, 60, 60))
