"""What `ib_write_bw` and `ib_write_lat` of perftest print, read. Pure.

Format: src/perftest_parameters.h of https://github.com/linux-rdma/perftest, RESULT_FMT and its relatives (read
2026-11-23). A table's columns are found by their names, as releases add some and a run for a time leaves some out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

#: Gb/s in one of the unit that bandwidths are printed in; perftest's "MB" is 2^20 bytes.
_UNITS = {"Gb/sec": 1.0, "MB/sec": 2**20 * 8 / 1e9, "MiB/sec": 2**20 * 8 / 1e9}
_BANDWIDTH = re.compile(r"BW average\[(?P<unit>[^\]]+)\]")
#: Names of columns, of which some are two words.
_COLUMN = re.compile(r"#\w+|BW \w+\[[^\]]+\]|tps average|[\d.]+% percentile\[\w+\]|\S+\[\w+\]")
_NUMBER = re.compile(r"-?(\d+(\.\d+)?|inf|nan)$")
_AVERAGE_TIME = "t_avg[usec]"
#: What perftest prints beside a failure: its frame and title, its settings, one or two a line, addresses, and remarks.
_REMARK = re.compile(
    r"[-*\s]*$|\s*(RDMA_\w+ \w+ Test|Conflicting CPU .*|\* Waiting for client .*|(local|remote) address: .*)\s*$"
    r"|(\s*[\w .*-]+?\s*:\s+\S+){1,2}\s*$"
)


def bandwidth(lines: Iterable[str]) -> float | None:
    """Return the average bandwidth of the last row in Gb/s, None where no row was printed."""
    row = _last_row(lines)
    for name, value in row.items():
        if (match := _BANDWIDTH.match(name)) and match["unit"] in _UNITS:
            return value * _UNITS[match["unit"]]
    return None


def latency(lines: Iterable[str]) -> float | None:
    """Return the average time of one way in microseconds, None where no row was printed."""
    return _last_row(lines).get(_AVERAGE_TIME)


def complaint(lines: Iterable[str]) -> str:
    """Return what perftest said of a failure: every line that is no frame, setting or row."""
    said = [line.strip().rstrip(".") for line in lines if not _REMARK.match(line) and not _numbers(line)]
    return "; ".join(line for line in said if not line.startswith("#"))


def _last_row(lines: Iterable[str]) -> Mapping[str, float]:
    """Return the values of the table's last row by their columns; a remark may stand between its rows."""
    columns: Sequence[str] = ()
    row: Mapping[str, float] = {}
    for line in lines:
        if line.lstrip().startswith("#bytes"):
            columns, row = _COLUMN.findall(line), {}
        elif columns and (values := _numbers(line)):
            row = dict(zip(columns, values, strict=False))
    return row


def _numbers(line: str) -> list[float]:
    """Return the numbers of a row, none for a line with anything else in it."""
    words = line.split()
    return [float(word) for word in words] if words and all(map(_NUMBER.match, words)) else []
