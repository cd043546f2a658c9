"""Asking hosts what they need, and having the missing builds made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path

from rich.console import Console

from gpufleet.converge import report
from gpufleet.converge.run import drive
from gpufleet.errors import GpufleetError
from gpufleet.inventory.hosts import InventoryHost
from gpufleet.precompiled import incoming
from gpufleet.precompiled.artifact import Artifact
from gpufleet.precompiled.builds import Build, Candidate, by_builder
from gpufleet.precompiled.repository import Directory
from gpufleet.project import ROOT
from gpufleet.stack.host.judging import judge
from gpufleet.stack.survey import survey

#: What runs on the host that builds.
DEPLOY = ROOT / "deploys/modules.py"


def candidates(hosts: Sequence[InventoryHost]) -> tuple[list[Candidate], Mapping[str, str]]:
    """Return hosts with what was decided for them, and why others could not be asked."""
    asked: list[Candidate] = []
    silent: dict[str, str] = {}
    answers = survey(hosts)
    for host in hosts:
        answer = answers[host.name]
        if isinstance(answer, str):
            silent[host.name] = answer
            continue
        judgment = judge(host, host.folder, date.today(), found=answer)
        if judgment.wish and judgment.machine and judgment.resolution:
            asked.append(Candidate(host.name, judgment.wish, judgment.machine, judgment.resolution))
    return asked, silent


def make(
    inventory: Path, wanted: Sequence[Build], repository: Directory, key: Path
) -> tuple[list[Artifact], list[str]]:
    """Have every build made on its host, all hosts side by side, and take them in; returns them and what failed."""
    builders = by_builder(wanted)
    if not builders:
        return [], []
    for name in builders:
        incoming.discard(name)
    with report.progress(Console(stderr=True)) as on_event:
        result = drive(inventory, [DEPLOY], list(builders), dry=False, on_event=on_event)
    made, failures = taken_in(result.done(), repository, key)
    return made, failures + result.failures()


def taken_in(hosts: Iterable[str], repository: Directory, key: Path) -> tuple[list[Artifact], list[str]]:
    """Take in what these hosts built; a broken build is one failure and keeps no other out."""
    made: list[Artifact] = []
    failures: list[str] = []
    for name in hosts:
        try:
            made.append(incoming.take(name, repository, key))
        except GpufleetError as error:
            failures.append(str(error))
    return made, failures
