"""The script that puts a repository's key in place, run by a real shell with stubs in the place of gpg and curl."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from pyinfra.context import ctx_host

from gpufleet.facts.family import DEBIAN, EL, OsFamily
from gpufleet.facts.repositories import KeyFile, KeyringsWith, RepositoryKey
from gpufleet.facts.rpm import TrustedKeys
from gpufleet.operations import repository_keys

PINNED = "EB693B3035CD5710E231E123A4B469963BF863CC"
OTHER = "0123456789ABCDEF0123456789ABCDEF01234567"
URL = "https://repository.example.org/vendor.pub"
#: What gpg lists of a key with a subkey: only the fingerprint after `pub` is the primary key's.
LISTING = "pub:-:4096:1::::\nfpr:::::::::{}:\nuid:-::::\nsub:-:4096:1::::\nfpr:::::::::FFFF:\n"


class Outcome(NamedTuple):
    """How the script ended, what it said, and what is in the directory of keys."""

    status: int
    errors: str
    files: dict[str, str]


class _Host:
    name = "gpu-07"

    def __init__(self, facts: dict[Any, Any]) -> None:
        self.facts, self.said = facts, ""

    def get_fact(self, fact: Any, **_: Any) -> Any:
        return self.facts.get(fact, fact.default())

    def noop(self, text: str) -> None:
        self.said = text


@pytest.fixture
def commands() -> Callable[..., list[str]]:
    """Return the commands of an operation on a host with these facts."""

    def make(operation: Any, facts: dict[Any, Any], **arguments: Any) -> list[str]:
        host = _Host(facts)
        with ctx_host.use(host):
            found = [command.get_raw_value() for command in operation._inner(**arguments)]
        return found or [f"nothing to do: {host.said}"]

    return make


@pytest.fixture
def run(tmp_path: Path) -> Callable[[str, str], Outcome]:
    """Run a command where gpg lists one key, and curl fetches it or fails."""
    home = tmp_path / "bin"
    home.mkdir()

    def execute(command: str, gpg: str) -> Outcome:
        programs = {
            "gpg": f"case $* in *dearmor*) echo binary;; *) printf '{gpg}';; esac",
            "curl": '[ "$FETCH" = fail ] && exit 22; while [ "$1" != --output ]; do shift; done; echo key >"$2"',
        }
        for name, body in programs.items():
            (home / name).write_text(f"#!/bin/sh\n{body}\n")
            (home / name).chmod(0o755)
        fetch = "fail" if gpg == "" else "works"
        environment = {"PATH": f"{home}:{os.environ['PATH']}", "TMPDIR": str(tmp_path), "FETCH": fetch}
        done = subprocess.run(["sh", "-c", command], env=environment, text=True, capture_output=True, check=False)
        keys = {path.name: path.read_text() for path in sorted((tmp_path / "keys").glob("*"))}
        assert not list(tmp_path.glob("tmp.*")), "expected no temporary files left behind"
        return Outcome(done.returncode, done.stderr, keys)

    return execute


@pytest.fixture
def trust(tmp_path: Path, commands: Callable[..., list[str]]) -> str:
    (command,) = commands(
        repository_keys.trusted,
        {OsFamily: EL},
        path=str(tmp_path / "keys" / "vendor.asc"),
        key=URL,
        fingerprint=PINNED,
    )
    return command


Run = Callable[[str, str], Outcome]
Commands = Callable[..., list[str]]


def test_the_pinned_key_is_put_in_place(trust: str, run: Run) -> None:
    assert run(trust, LISTING.format(PINNED)) == (0, "", {"vendor.asc": "key\n"})


@pytest.mark.parametrize(
    ("listing", "found"),
    [
        pytest.param(LISTING.format(OTHER), OTHER, id="another key"),
        pytest.param(LISTING.format(PINNED) + LISTING.format(OTHER), f"{PINNED} {OTHER}", id="one key too many"),
        pytest.param("no key", "no key", id="no key"),
    ],
)
def test_any_other_key_is_refused_and_nothing_is_left(trust: str, run: Run, listing: str, found: str) -> None:
    assert run(trust, listing) == (
        1,
        f"gpu-07: {URL}: expected the key with fingerprint {PINNED}, found {found}; "
        "find out who changed the key before you pin another\n",
        {},
    )


def test_percent_signs_of_a_url_are_said_as_they_are(commands: Commands, run: Run, tmp_path: Path) -> None:
    url, path = "https://repository.example.org/a%20vendor.pub", str(tmp_path / "keys" / "vendor.asc")
    (command,) = commands(repository_keys.trusted, {OsFamily: EL}, path=path, key=url, fingerprint=PINNED)
    assert run(command, LISTING.format(OTHER)).errors == (
        f"gpu-07: {url}: expected the key with fingerprint {PINNED}, found {OTHER}; "
        "find out who changed the key before you pin another\n"
    )


def test_a_key_that_cannot_be_fetched_leaves_nothing(trust: str, run: Run) -> None:
    assert run(trust, "") == (22, "", {})


def test_a_key_given_as_text_needs_no_network(commands: Commands, run: Run, tmp_path: Path) -> None:
    text = f"{repository_keys.ARMOR}\n\nit's the key\n"
    path = str(tmp_path / "keys" / "vendor.asc")
    (command,) = commands(repository_keys.trusted, {OsFamily: EL}, path=path, key=text, fingerprint=PINNED)
    assert run(command, LISTING.format(PINNED)) == (0, "", {"vendor.asc": text})


def test_a_binary_keyring_is_made_of_an_armored_key(commands: Commands, run: Run, tmp_path: Path) -> None:
    path = str(tmp_path / "keys" / "vendor.gpg")
    arguments = {"path": path, "key": f"{repository_keys.ARMOR}\n", "fingerprint": PINNED}
    (command,) = commands(repository_keys.trusted, {OsFamily: DEBIAN}, **arguments)
    assert run(command, LISTING.format(PINNED)) == (0, "", {"vendor.gpg": "binary\n"})


def test_a_key_in_place_is_left_alone(commands: Commands) -> None:
    facts = {OsFamily: EL, RepositoryKey: KeyFile((PINNED,))}
    blanks = "EB69 3B30 35CD 5710 E231  E123 A4B4 6996 3BF8 63CC"
    assert commands(repository_keys.trusted, facts, path="/k", key=URL, fingerprint=blanks) == [
        f"nothing to do: key {PINNED} is in /k"
    ]


def test_apt_hosts_fetch_with_apts_own_means() -> None:
    assert repository_keys.fetch(URL, with_curl=False) == (
        f'timeout 60 /usr/lib/apt/apt-helper download-file {URL} "$d/key" >/dev/null'
    )


def test_an_old_key_is_forgotten_wherever_it_is(commands: Commands) -> None:
    facts = {KeyringsWith: {"/etc/apt/trusted.gpg.d/cuda old.gpg": 1, "/etc/apt/trusted.gpg": 3}, OsFamily: DEBIAN}
    alone, among_others = commands(repository_keys.forgotten, facts, key="7fa2af80")
    assert alone == "rm -f '/etc/apt/trusted.gpg.d/cuda old.gpg'"
    assert "--keyring /etc/apt/trusted.gpg --delete-keys 7fa2af80" in among_others


def test_rpm_forgets_a_key_and_its_file(commands: Commands) -> None:
    facts = {TrustedKeys: {"3bf863cc"}, OsFamily: EL, RepositoryKey: KeyFile((PINNED,))}
    assert commands(repository_keys.forgotten, facts, key=PINNED, path="/etc/pki/rpm-gpg/x") == [
        "rm -f /etc/pki/rpm-gpg/x",
        "rpm -e --allmatches gpg-pubkey-3bf863cc",
    ]


def test_a_key_that_nobody_trusts_is_no_work(commands: Commands) -> None:
    assert commands(repository_keys.forgotten, {OsFamily: EL}, key="7fa2af80") == [
        "nothing to do: key 7fa2af80 is trusted nowhere"
    ]
