"""Fixtures for every test, and the proof that a run leaves nothing behind."""

from __future__ import annotations

import os
import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import Scheduling

from tests.support import kubernetes_at_hand
from tests.support.labs_apart import LabScheduling
from tests.support.leaks import Census, census, is_counted

# How long an example takes is the machine's affair: no property fails by the clock.
settings.register_profile("gpufleet", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("gpufleet")

STATE = pytest.StashKey[Census | None]()
LEFT_OUT = pytest.StashKey[int]()


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


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs the programs of Kubernetes where they cannot be had."""
    kept, without = kubernetes_at_hand.chosen(items, kubernetes_at_hand.missing(), os.environ)
    if without:
        items[:] = kept
        config.hook.pytest_deselected(items=without)
    if hasattr(config, "workeroutput"):
        config.workeroutput["left_out"] = len(without)
    config.stash[LEFT_OUT] = len(without)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over from a process how many tests it left out: all of them collect the same."""
    node.config.stash[LEFT_OUT] = getattr(node, "workeroutput", {}).get("left_out", 0)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say in one line what was left out."""
    if count := config.stash.get(LEFT_OUT, 0):
        terminalreporter.write_line(kubernetes_at_hand.told(count))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling | None:
    """Keep the tests of one lab together where the command line asks for it: `--dist=loadscope`."""
    return LabScheduling(config, log) if config.getoption("dist") == "loadscope" else None
