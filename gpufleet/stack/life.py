"""What of a wish nobody supports any more, or soon will not."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Protocol

from gpufleet.stack.case import Case
from gpufleet.stack.containerd_choice import wished_version
from gpufleet.stack.matrix import ended
from gpufleet.stack.rules import Row, verdict
from gpufleet.stack.skew import bare
from gpufleet.stack.verdicts import Level, Verdict


class _Mortal(Row, Protocol):
    @property
    def end_of_life(self) -> datetime.date | None: ...


def life(case: Case, today: datetime.date, strict: bool) -> Iterator[Verdict]:
    """Say which parts of the wish have passed the end of their support: warnings, or errors where strict."""
    level: Level = "error" if strict else "warning"
    for where, called, row in _parts(case):
        if row is not None and row.end_of_life is not None and ended(row.end_of_life, today):
            yield verdict(
                level,
                row,
                where=where,
                expected=f"a {where.replace('_', ' ')} that is supported",
                found=f"{called}, whose support ended on {row.end_of_life}",
                cure=_cure(case, where, today),
            )


def _parts(case: Case) -> Iterator[tuple[str, str, _Mortal | None]]:
    containerd, kubelet, server = (bare(text) for text in _versions(case))
    yield "driver", f"branch {case.branch}", case.driver.row
    if containerd:
        row = case.matrix.containerd_series(containerd)
        yield "containerd", f"series {row.series if row else ''}", row
    if kubelet:
        yield "kubelet", f"Kubernetes {kubelet}", case.matrix.kubernetes_minor(kubelet)
    if server:
        yield "kube_apiserver", f"Kubernetes {server}", case.matrix.kubernetes_minor(server)
    if case.wish.ofed:
        row_of = (row for row in case.matrix.ofed if row.version == case.wish.ofed)
        yield "ofed", f"release {case.wish.ofed}", next(row_of, None)


def _versions(case: Case) -> tuple[str | None, str | None, str | None]:
    return wished_version(case), case.wish.kubelet, case.wish.kube_apiserver


def _cure(case: Case, where: str, today: datetime.date) -> str:
    if where != "driver":
        return "choose a newer one"
    living = [row for row in case.matrix.branches if row.end_of_life and not ended(row.end_of_life, today)]
    named = ", ".join(f"{row.branch} (until {row.end_of_life})" for row in sorted(living, key=lambda row: row.branch))
    return f"choose a supported branch: {named or 'the matrix knows none'}"
