"""All hosts of a request judged, those with equal answers together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from gpufleet import hostset
from gpufleet.facts.machine import HostMachine
from gpufleet.inventory.hosts import InventoryHost
from gpufleet.stack.host.judging import Judgment, judge
from gpufleet.stack.verdicts import Verdict


@dataclass(frozen=True)
class Review:
    """Judgments, each with its hosts, in the order of the inventory."""

    judgments: Mapping[Judgment, Sequence[str]]
    #: Why hosts could not be asked, by name.
    silent: Mapping[str, str]

    @property
    def verdicts(self) -> dict[Verdict, list[str]]:
        """Every different verdict with the hosts that it is about, errors first."""
        hosts: dict[Verdict, list[str]] = defaultdict(list)
        for judgment, names in self.judgments.items():
            for verdict in judgment.verdicts:
                hosts[verdict] += names
        order = ("error", "warning", "note")
        return dict(sorted(hosts.items(), key=lambda item: order.index(item[0].level)))

    @property
    def unknown(self) -> list[str]:
        """Names of the hosts of which too little is known for a verdict."""
        unknown = [names for judgment, names in self.judgments.items() if judgment.lacks_machine]
        return [name for names in unknown for name in names]

    @property
    def checked(self) -> int:
        """Number of hosts that there is a verdict on, be it none."""
        return sum(len(names) for names in self.judgments.values()) - len(self.unknown)


def review(
    hosts: Sequence[InventoryHost],
    today: date,
    *,
    strict: bool = False,
    answers: Mapping[str, HostMachine | str] | None = None,
) -> Review:
    """Judge hosts by what they answered; those that were not asked, by what the inventory declares of them."""
    judgments: dict[Judgment, list[str]] = defaultdict(list)
    silent: dict[str, str] = {}
    for host in hosts:
        answer = (answers or {}).get(host.name)
        if isinstance(answer, str):
            silent[host.name] = answer
        else:
            judgments[judge(host, host.folder, today, strict=strict, found=answer)].append(host.name)
    return Review(judgments, silent)


def folded(names: Sequence[str]) -> str:
    """Return host names in few words: `gpu-[01-08]`."""
    return ", ".join(hostset.fold(names))


def number(count: int, noun: str) -> str:
    """Return a number with its noun: `1 host`, `2 hosts`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"
