"""Faults of what hosts are to have together: versions that do not fit each other or the declared hardware."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from gpufleet.errors import Fault, FaultsFoundError, GpufleetError
from gpufleet.inventory.hosts import InventoryHost
from gpufleet.stack.host.judging import Judgment, judge


def find(hosts: Iterable[InventoryHost]) -> list[Fault]:
    """Return what the matrix forbids on hosts whose data are right in themselves and declare their machine.

    A matrix or an overlay that cannot be read is one fault, whatever the number of hosts.
    """
    today, faults = date.today(), list[Fault]()
    broken: dict[Fault, None] = {}
    for host in hosts:
        try:
            faults += _of_host(judge(host, host.folder, today), host.name)
        except GpufleetError as error:
            broken |= dict.fromkeys(_of_file(error))
    return [*broken, *faults]


def _of_file(error: GpufleetError) -> Sequence[Fault]:
    if isinstance(error, FaultsFoundError):
        return error.faults
    return [Fault(error.where, f"expected {error.expected}, found {error.found}", error.cure)]


def _of_host(judgment: Judgment, host: str) -> Iterator[Fault]:
    for verdict in judgment.verdicts:
        if verdict.level == "error":
            problem = f"expected {verdict.expected}, found {verdict.found}"
            yield Fault(f"stack: {verdict.where}", problem, f"{verdict.cure} ({verdict.row}; {verdict.source})", host)
