"""Versions: the parts of one, their order as numbers, and Debian's written short.

`535.261.03` means whatever Debian made of that upstream version.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase

#: Debian's marks on a repackaged upstream tarball: 1.7.24~ds1, 2.10+dfsg.
_REPACKED = re.compile(r"[+~.](ds|dfsg)[.\d]*$")


def upstream(version: str) -> str:
    """Return the upstream part of a Debian version: no epoch, no revision, no mark of repackaging."""
    bare = version.partition(":")[2] or version
    return _REPACKED.sub("", bare.rpartition("-")[0] or bare)


def numbers(version: str) -> tuple[int, ...]:
    """Return the numbers of a version, for comparisons: (580, 95, 5) of `580.95.05-1`.

    An epoch, a revision and Debian's marks do not count. Raises ValueError for a version that is not of numbers.
    """
    return tuple(int(part) for part in upstream(version).split("."))


def branch(version: str) -> int:
    """Return the driver branch of a version: 535 of `535.216.03-1`. Raises ValueError where it has none."""
    return numbers(version)[0]


def minor(version: str) -> str:
    """Return the first two numbers of a version: `12.9` of `12.9.1`, `1.34` of `1.34.2-1.1`."""
    return ".".join(str(number) for number in numbers(version)[:2])


def newest(versions: Iterable[str]) -> str | None:
    """Return the greatest of these versions as numbers, None of none."""
    return max(versions, key=numbers, default=None)


def matches(wanted: str, version: str) -> bool:
    """Tell whether a Debian version is the wanted one: the same text, the same upstream, or a `*` pattern's match."""
    if "*" in wanted:
        return fnmatchcase(version, wanted)
    return wanted in {version, version.partition(":")[2], upstream(version)}


def newest_match(wanted: str, newest_first: Iterable[str]) -> str | None:
    """Return the first of these versions that is the wanted one."""
    return next((version for version in newest_first if matches(wanted, version)), None)


def pin_pattern(version: str) -> str:
    """Return what apt's preferences call this version: a short one gets any revision."""
    return version if "*" in version or "-" in version else f"{version}-*"
