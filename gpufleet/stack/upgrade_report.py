"""The way from one driver to another, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from gpufleet.facts.machine import HostMachine
from gpufleet.stack.explain import machine_words
from gpufleet.stack.upgrade_path import Move, Path

_NO_REBOOT = "none, once nothing uses the GPUs: the modules can be exchanged"


def exit_code(path: Path) -> int:
    """Return 2 where a verdict forbids the way, else 0."""
    return 2 if any(verdict.level == "error" for verdict in path.verdicts) else 0


def lines(path: Path, machine: HostMachine) -> Iterator[str]:
    """Yield what moves together, what changes its name, the steps in their order, and what needs a reboot."""
    yield f"driver {path.before} to {path.after} on {machine_words(machine)}"
    yield from (f"  {verdict}" for verdict in path.verdicts)
    if not path.moves:
        yield from ["nothing moves"] * (exit_code(path) == 0)
        return
    yield "moves together:"
    yield from (f"  {_moved(move)}" for move in path.moves)
    yield "steps:"
    yield from (f"  {position}. {step.what} ({step.why})" for position, step in enumerate(path.steps, 1))
    yield f"reboot: {'; '.join(path.reboots) or _NO_REBOOT}"


def document(path: Path, machine: HostMachine) -> dict[str, Any]:
    """Return the same for programs."""
    moves = [{**asdict(move), "renamed": move.renamed} for move in path.moves]
    return {**asdict(path), "moves": moves, "machine": asdict(machine), "ok": exit_code(path) == 0}


def _moved(move: Move) -> str:
    before, after = (", ".join(names) or "nothing" for names in (move.before, move.after))
    return f"{move.component}: {before} -> {after}{' (names change)' if move.renamed else ''}"
