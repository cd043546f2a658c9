"""Version numbers of drivers, toolkits and kernels as they are compared: number by number."""

from __future__ import annotations

import re

from gpufleet.stack.versions import upstream

_DRIVER = re.compile(r"(?P<branch>[1-9]\d{2})(?P<rest>(\.\d+){1,2}(-[A-Za-z0-9.+~]+)?)?")


def numbers(version: str) -> tuple[int, ...]:
    """Return the numbers a version begins with: (6, 1, 0) of `6.1.0-50-amd64`; empty for a text without any."""
    match = re.match(r"\d+(\.\d+)*", version)
    return tuple(int(part) for part in match[0].split(".")) if match else ()


def driver_branch(text: str) -> int | None:
    """Return the branch of `580`, `580.95.05` or `535.261.03-1`; None for anything else."""
    match = _DRIVER.fullmatch(text)
    return int(match["branch"]) if match else None


def driver_version(text: str) -> str:
    """Return the upstream version in `580.95.05` or `535.261.03-1`, an empty text for a branch alone."""
    match = _DRIVER.fullmatch(text)
    return upstream(text) if match and match["rest"] else ""


def older(version: str, than: str) -> bool:
    """Tell whether a version is older; only what both say counts, so 580.95 is not older than 580.95.05."""
    left, right = numbers(version), numbers(than)
    length = min(len(left), len(right))
    return left[:length] < right[:length]
