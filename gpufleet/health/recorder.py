"""Turn pytest's reports into our results; they travel with the report, through pytest-xdist too."""

from __future__ import annotations

import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from gpufleet.health.items import identity
from gpufleet.health.outcomes import CheckError, Outcome, judge, one_line
from gpufleet.project import ROOT


def annotate(report: pytest.TestReport, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """Put our result beside pytest's; what pytest calls skipped but we call an error fails for pytest too."""
    raised = call.excinfo.value if call.excinfo else None
    outcome, message = judge(raised)
    if outcome is Outcome.FAIL and report.when != "call":
        outcome = Outcome.ERROR
    if outcome in {Outcome.FAIL, Outcome.ERROR} and report.skipped:
        report.outcome, report.longrepr = "failed", message
    report.__dict__["gpufleet"] = identity(item) | {
        "outcome": outcome.value,
        "message": message,
        "whole_host": isinstance(raised, CheckError) and raised.whole_host,
        "seconds": round(report.duration, 3),
    }


def result_of(report: pytest.TestReport | pytest.CollectReport) -> dict[str, Any] | None:
    """Return the result that `annotate` put into a report, where it says more than pytest's own outcome."""
    result: dict[str, Any] | None = report.__dict__.get("gpufleet")
    return result


def shown(path: Path) -> str:
    """Return a path as the operator would write it: from the checkout's root where it is below."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def last_error(explanation: str) -> str:
    """Return the error itself from pytest's explanation, in which its lines are marked with E."""
    lines = [line[1:] for line in explanation.splitlines() if line.startswith("E ")]
    return one_line(lines[-1] if lines else explanation)


class Recorder:
    """Writes what is planned and what came out of it, one JSON object a line, as it happens."""

    def __init__(self, path: Path) -> None:
        self._stream = path.open("w", buffering=1)

    def _write(self, kind: str, **content: Any) -> None:
        self._stream.write(json.dumps({"kind": kind, **content}) + "\n")

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Say which checks will run, so that one which never ends is missed."""
        self._write("planned", checks=[identity(item) for item in session.items])

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Say which check file cannot be read."""
        report = yield
        if report.failed:
            self._write("broken", where=shown(collector.path), message=last_error(str(report.longrepr)))
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Say how a check ended; setup and teardown count when they went wrong."""
        result = result_of(report)
        if result and (report.when == "call" or result["outcome"] != Outcome.PASS):
            self._write("check", **result)

    def pytest_unconfigure(self) -> None:
        """Close the file."""
        self._stream.close()
