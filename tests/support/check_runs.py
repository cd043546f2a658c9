"""Runs the checks of a module on answers that a test gives in place of a host's, and says which of them fail."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pytest

from gpufleet.health.outcomes import Outcome, judge
from gpufleet.health.probe import Probe, Section
from gpufleet.inventory.hosts import InventoryHost
from gpufleet.operations.files import render

Answers = Mapping[str, Sequence[str] | str]


@dataclass
class Answer:
    """How a command ended that a check ran by itself."""

    rc: int = 0
    stdout: str = ""


def outcomes(module: ModuleType, answers: Answers, data: Mapping[str, Any], answer: Answer) -> dict[str, str]:
    """Return the message of every check that does not pass, by its name; `unproven: ...` where it says so."""
    record = InventoryHost("gpu-07", "ssh", (), data)
    texts = {name: text if isinstance(text, str) else "\n".join(text) for name, text in answers.items()}
    given: dict[str, Any] = {
        "probe": Probe({name: Section(name, text, 0) for name, text in texts.items()}),
        "data": data,
        "declared": lambda options: options.of(record),
        "host": _Host(answer),
    }
    return dict(_failing(module, given))


def _failing(module: ModuleType, given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, check in vars(module).items():
        if not name.startswith("test_"):
            continue
        try:
            _call(check, module, given)
        except (Exception, pytest.skip.Exception) as raised:
            outcome, text = judge(raised)
            yield name.removeprefix("test_"), text if outcome is Outcome.FAIL else f"{outcome}: {text}"


def _call(function: Callable[..., Any], module: ModuleType, given: Mapping[str, Any]) -> Any:
    """Call a check or a fixture with what its parameters name."""
    return function(**{name: _value(name, module, given) for name in inspect.signature(function).parameters})


def _value(name: str, module: ModuleType, given: Mapping[str, Any]) -> Any:
    return given[name] if name in given else _call(vars(module)[name]._get_wrapped_function(), module, given)


class _Host:
    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def run(self, *_command: str) -> Answer:
        return self._answer


def shown(files: Mapping[str, tuple[str, str, Mapping[str, Any]]]) -> str:
    """Return files as the probe prints them: by path, each with its permissions, its template and its context."""
    parts = [f"== {mode} {path}\n{render(name, **context)}" for path, (mode, name, context) in files.items()]
    return "".join(parts).strip()
