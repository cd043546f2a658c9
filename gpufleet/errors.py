"""Every way gpufleet says no: one tree, and one sentence shape.

An error names the place, what was expected, what was found, and the cure. Exit codes follow the command line's
contract: 1 a host failed, 2 the request was wrong and nothing was touched, 3 halted and resumable.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gpufleet import hostset


@dataclass(frozen=True, order=True)
class Fault:
    """One thing that is wrong, in one line: `gpu-07: nvidia_driver.flavour: unknown option; did you mean flavor?`.

    A fault of one host names it in `host`, so that the same fault of many hosts can share a line.
    """

    where: str
    problem: str
    cure: str
    host: str = ""

    def __str__(self) -> str:
        return _line(self.host, self.where, self.problem, self.cure)


def _line(*parts: str) -> str:
    *places, cure = [part for part in parts if part]
    return f"{': '.join(places)}; {cure}"


def fault_lines(faults: Iterable[Fault]) -> list[str]:
    """Return one line per different fault, with the hosts that share it folded: `gpu-[0001-2000]: ...`."""
    hosts: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for fault in faults:
        hosts[fault.where, fault.problem, fault.cure].append(fault.host)
    return [_line(hostset.describe([name for name in names if name]), *texts) for texts, names in hosts.items()]


class GpufleetError(Exception):
    """Something gpufleet will not or cannot do; its text is meant for the operator."""

    exit_code = 2

    def __init__(self, where: str, *, expected: str, found: str, cure: str) -> None:
        self.where, self.expected, self.found, self.cure = where, expected, found, cure
        super().__init__(f"{where}: expected {expected}, found {found}; {cure}")


class FaultsFoundError(GpufleetError):
    """A request with several faults, reported together so that one round of corrections is enough."""

    def __init__(self, where: str, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__(
            where,
            expected="no faults",
            found="1 fault" if len(self.faults) == 1 else f"{len(self.faults)} faults",
            cure="correct the lines below; nothing was touched",
        )

    def __str__(self) -> str:
        return "\n".join([super().__str__(), *(f"  {line}" for line in fault_lines(self.faults))])


class InventoryError(GpufleetError):
    """The inventory cannot be read, or names hosts or groups that do not exist."""


class ProjectError(GpufleetError):
    """The working tree lacks something a command needs, such as a deploy file."""


class ToolMissingError(GpufleetError):
    """A program that the command runs is absent and could not be installed."""


class LabError(GpufleetError):
    """The lab cannot do what was asked: unknown profile, host or fault, or a container that does not start."""


class HostError(GpufleetError):
    """A host failed; the others finished."""

    exit_code = 1


class ClusterError(GpufleetError):
    """The API server of a cluster cannot be asked, or does nothing of what is asked."""

    exit_code = 1


class NodeError(ClusterError):
    """One node of a cluster could not be changed; the others can."""


class UnansweredError(NodeError):
    """A request about one node got no answer, however often it was sent; one about another node may get one."""
