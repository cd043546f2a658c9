"""Debian versions written short: `535.261.03` means whatever Debian made of that upstream version."""

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
