"""Fixtures for every test, and the proof that a run leaves nothing behind."""

from __future__ import annotations

import sys

import pytest
from xdist.remote import Producer
from xdist.scheduler import Scheduling

from tests.support.labs_apart import LabScheduling
from tests.support.leaks import Census, census, is_counted

STATE = pytest.StashKey[Census | None]()


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Count what is there before the first fixture runs."""
    if is_counted(session.config):
        session.config.stash[STATE] = census()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run when something of ours is left after the last fixture was torn down."""
    before = session.config.stash.get(STATE, None)
    if before is None:
        return
    if leaks := census().leaks(before):
        sys.stdout.write("\n".join(["", "left behind by this run:", *leaks, ""]))
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling | None:
    """Keep the tests of one lab together where the command line asks for it: `--dist=loadscope`."""
    return LabScheduling(config, log) if config.getoption("dist") == "loadscope" else None
