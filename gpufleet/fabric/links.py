"""Links that are up and yet not what the plan has: too slow, too narrow, not active."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from gpufleet.fabric.findings import Finding
from gpufleet.fabric.meeting import Built
from gpufleet.fabric.ports import SPEEDS, WIDTHS, Cable, Port

_RESEAT = "reseat or replace the cable, then read both ports' settings"


def below(cables: Iterable[Cable], built: Built) -> Iterator[Finding]:
    """Yield a finding for each cable whose link is slower or narrower than planned."""
    for cable in cables:
        far = built.far[cable.a]
        slow, narrow = _less(far.speed, cable.speed, SPEEDS), _less(far.width, cable.width, WIDTHS)
        if slow or narrow:
            expected, found = f"{cable.width} {cable.speed}", f"{far.width} {far.speed}"
            ends = ((str(cable.a), str(cable.b)),)
            yield Finding("slow" if slow else "narrow", str(cable), expected, found, _RESEAT, ends)


def unknown(cables: Iterable[Cable], built: Built) -> list[str]:
    """Return a note where links have a speed or width that ibnetdiscover could not name."""
    count = sum(built.far[c.a].speed not in SPEEDS or built.far[c.a].width not in WIDTHS for c in cables)
    text = "of a speed or width that ibnetdiscover could not name: not compared; use a newer infiniband-diags"
    return [f"{count} {'link' if count == 1 else 'links'} {text}"] if count else []


def inactive(cables: Iterable[Cable], states: Mapping[Port, str]) -> Iterator[Finding]:
    """Yield a finding for each cable that is plugged in, and whose link the subnet manager did not bring up."""
    for cable in cables:
        if state := states.get(cable.a) or states.get(cable.b):
            cure = "read the log of the subnet manager"
            yield Finding("not active", str(cable), "Active/LinkUp", state, cure, ((str(cable.a), str(cable.b)),))


def _less(found: str, planned: str, order: tuple[str, ...]) -> bool:
    return found in order and order.index(found) < order.index(planned)
