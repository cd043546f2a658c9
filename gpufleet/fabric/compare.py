"""Plan against reality: every finding of a check, from data alone."""

from __future__ import annotations

from collections.abc import Iterator

from gpufleet.fabric import identities, links, managers, paths, states
from gpufleet.fabric.answers import Answers
from gpufleet.fabric.cabling import Cabling
from gpufleet.fabric.counters import Excess, port_of, thresholds
from gpufleet.fabric.discovered import Discovered
from gpufleet.fabric.findings import Finding, Report
from gpufleet.fabric.meeting import Built, meet
from gpufleet.fabric.plan import Plan
from gpufleet.fabric.ports import between


def check(plan: Plan, found: Discovered, answers: Answers) -> Report:
    """Return where the fabric is not as planned, and what could not be judged."""
    built = meet(plan, found)
    unclear = identities.explained(built)
    ports = states.named(answers.states, found.port_guids, built.names)
    cabling = Cabling(plan, built, ports, unclear)
    intact = cabling.intact
    leaderless = [
        finding
        for subnet, known in answers.managers.items()
        for finding in managers.find(known, subnet, found.port_guids, built.names)
    ]
    findings = [
        *identities.find(built, found),
        *cabling.findings(),
        *paths.find(plan, built, unclear),
        *links.below(intact, built),
        *(links.inactive(intact, ports) if not leaderless else ()),
        *leaderless,
        *_errors(plan, built, found, answers.excesses),
    ]
    sizes = {"hosts": len(plan.hosts), "switches": len(plan.switches), "cables": len(plan.cables),
             "links": len(built.far) // 2}  # fmt: skip
    notes = (
        *answers.notes,
        *managers.silent(answers.managers, found.port_guids, built.names),
        *links.unknown(intact, built),
        *identities.unnamed(built, found, plan.devices),
    )
    return Report(tuple(findings), notes, sizes)


def _errors(plan: Plan, built: Built, found: Discovered, excesses: tuple[Excess, ...]) -> Iterator[Finding]:
    far_ends = {here: there for a, b, *_ in plan.cables for here, there in ((a, b), (b, a))} if excesses else {}
    for excess in excesses:
        port = port_of(excess.port, found.port_guids, built.names)
        other = far_ends.get(port) if port else None
        where = between(port, other) if port and other else str(port or excess.port)
        row = thresholds().get(excess.counter)
        hours = f"{excess.hours:.1f} h" if excess.hours > 1 else "the last hour"
        yield Finding(
            "errors", where, f"at most {excess.threshold} {excess.counter} an hour",
            f"{excess.errors} in {hours} at {port or excess.port}{f' ({row.meaning})' if row else ''}",
            "clean or replace the cable", ((str(port), str(other)),) if other else (),
        )  # fmt: skip
