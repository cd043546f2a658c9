"""Quantities as Kubernetes writes them: `512Mi`, `1.5Gi`, `2G`, `500m`. Exact, as the kubelet compares exactly.

Source: apimachinery's pkg/api/resource/quantity.go of 1.36; exponents (`1e3`) are left out.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Annotated

from pydantic import AfterValidator

_QUANTITY = re.compile(r"(?P<number>[0-9]{1,18}(\.[0-9]{1,9})?)(?P<suffix>m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?")
_BINARY = ("Ki", "Mi", "Gi", "Ti", "Pi")
_FACTORS = {
    "": Fraction(1),
    "m": Fraction(1, 1000),
    **{suffix: Fraction(1000**power) for power, suffix in enumerate(("k", "M", "G", "T", "P"), start=1)},
    **{suffix: Fraction(1024**power) for power, suffix in enumerate(_BINARY, start=1)},
}

MEBIBYTE = 1024**2


def exact(text: str) -> Fraction:
    """Return the number that a quantity stands for."""
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise ValueError(f"expected a quantity such as 512Mi, 2 or 500m, found {text!r}; write it so")
    return Fraction(match["number"]) * _FACTORS[match["suffix"] or ""]


def count(text: str) -> int:
    """Return a quantity of bytes or of things, which cannot be split."""
    found = exact(text)
    if found.denominator != 1:
        raise ValueError(f"expected a whole number of bytes, such as 512Mi, found {text!r}; write a whole one")
    return int(found)


def written(number: int) -> str:
    """Return a number of bytes by the largest binary unit that divides it: `1Gi`, `1124Mi`, `1000`."""
    for power, suffix in reversed(list(enumerate(_BINARY, start=1))):
        if number and number % 1024**power == 0:
            return f"{number // 1024**power}{suffix}"
    return str(number)


def _amount(text: str) -> str:
    exact(text)
    return text


def _bytes(text: str) -> str:
    count(text)
    return text


#: Processors, as `2` or `500m`; and bytes, as `512Mi`.
Processors = Annotated[str, AfterValidator(_amount)]
Bytes = Annotated[str, AfterValidator(_bytes)]
