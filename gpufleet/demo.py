"""`gpufleet demo`: the whole thread on container hosts, from nothing to verified and unchanged by a second run."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gpufleet.converge.command import converge_with_progress
from gpufleet.converge.results import RunResult
from gpufleet.errors import HostError
from gpufleet.health import report
from gpufleet.health.report import describe
from gpufleet.health.run import verify
from gpufleet.health.verification import Verification, counts
from gpufleet.lab import prerequisites
from gpufleet.lab.hosts import HostSpec
from gpufleet.lab.inventory import VARIABLE
from gpufleet.lab.lab import Lab, LabHost
from gpufleet.project import ROOT

#: The two hosts of the demonstration: one per Debian release, with different GPUs.
HOSTS = ("gpu-01=debian-12/hgx-h100", "gpu-02=debian-13/l40s-pcie")
INVENTORY = ROOT / "inventories/lab.py"
SITE = ROOT / "deploys/site.py"


def demo(
    lab: Annotated[str, typer.Option(help="Name of the lab to use.")] = "demo",
    hosts: Annotated[list[str] | None, typer.Argument(help="Hosts to use, as NAME=OS/PROFILE.")] = None,
) -> None:
    """Bring up container hosts, give them a verified NVIDIA driver, and show that a second run changes nothing."""
    console = Console() if sys.stdout.isatty() else Console(width=150)
    started = time.monotonic()

    def say(text: str) -> None:
        console.print(f"[dim]{time.monotonic() - started:5.0f} s[/]  {escape(text)}", highlight=False, soft_wrap=True)

    os.environ[VARIABLE] = lab
    say("==> 1/5 Prerequisites: programs and a Docker daemon")
    prerequisites.ensure(say)
    say("==> 2/5 Hosts: containers that behave like machines, with emulated GPUs")
    machines = Lab.up(lab, [HostSpec.parse(text) for text in hosts or HOSTS], say=say)
    console.print(table(machines, *converge_and_verify(say)))
    next_steps(console, lab, machines.hosts[0].name)
    say("done: every host converged, verified, and unchanged by a second run")


def converge_and_verify(say: Callable[[str], None]) -> tuple[RunResult, Verification, RunResult]:
    """Deploy, verify, deploy again; raises HostError at the first step that does not hold."""
    say("==> 3/5 Deploy: gpufleet deploy inventories/lab.py deploys/site.py (DKMS compiles for minutes)")
    first = deploy_once()
    say("==> 4/5 Verify: gpufleet verify inventories/lab.py")
    checks = verify(INVENTORY)
    for line in report.problem_lines(checks):
        say(line)
    if not checks.ok():
        raise HostError(
            "verification", expected="every check green", found=report.total_line(checks), cure=cure("verify")
        )
    say("==> 5/5 Deploy again: a second run must change nothing")
    second = deploy_once()
    if second.changed:
        raise HostError(
            "second run", expected="0 changes", found=f"{second.changed} changes", cure=cure("plan", "deploys/site.py")
        )
    say(f"second run: 0 changes in {second.operations} operations on {len(second.hosts)} hosts")
    return first, checks, second


def deploy_once() -> RunResult:
    """One run of deploys/site.py over the lab; raises HostError naming the hosts that failed."""
    result = converge_with_progress(INVENTORY, [SITE])
    if result.interrupted:
        raise KeyboardInterrupt
    if failed := result.failures():
        raise HostError("deploy", expected="every host done", found="; ".join(failed), cure=cure("deploy"))
    return result


def cure(*words: str) -> str:
    """The command that shows the same fault again, by itself."""
    return f"run `gpufleet {words[0]} inventories/lab.py {' '.join(words[1:])}".rstrip() + "` to see it alone"


def table(machines: Lab, first: RunResult, checks: Verification, second: RunResult) -> Table:
    """What was shown, a line per host."""
    result = Table(title="Verified GPU hosts")
    for heading in ("host", "system", "kernel", "GPUs", "driver", "first run", "checks", "second run"):
        result.add_column(heading)
    for machine in machines.hosts:
        name = machine.name
        result.add_row(
            name,
            machine.os,
            *seen(machine),
            f"{first.hosts[name].changed} changes",
            describe(counts(checks.of(name))),
            f"{second.hosts[name].changed} changes",
        )
    return result


def seen(machine: LabHost) -> tuple[str, str, str]:
    """Kernel, GPUs and loaded driver, as the host itself tells over SSH."""
    gpus = machine.ssh("nvidia-smi --query-gpu=name,driver_version --format=csv,noheader", check=False)
    names = [line.split(", ") for line in gpus.stdout.splitlines() if gpus.returncode == 0]
    models = sorted({fields[0] for fields in names})
    return (
        machine.ssh("uname -r").stdout.strip(),
        f"{len(names)} x {', '.join(models)}" if names else "none",
        ", ".join(sorted({fields[1] for fields in names})) or "-",
    )


def next_steps(console: Console, lab: str, host: str) -> None:
    """Three commands worth typing now."""
    activate = f"GPUFLEET_LAB={lab} .venv/bin/"
    console.print(
        "Try next:\n"
        f"  {activate}gpufleet lab fault {host} gpu-lost --lab {lab} && {activate}gpufleet verify inventories/lab.py\n"
        f"  {activate}pyinfra inventories/lab.py deploys/site.py --dry --limit {host}\n"
        f"  .venv/bin/gpufleet lab down --lab {lab}",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
