"""What the verification of a host says about its node: proved, refuted, not answered, or not asked in full."""

from __future__ import annotations

import hashlib
import json
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from gpufleet.health.outcomes import Outcome
from gpufleet.health.verification import Check

#: Characters of one check's message in a reason; what `kubectl describe` shows shall still be read.
_LONGEST_MESSAGE = 160

#: The check that says that a host is the node it is declared to be; without it nothing of the host is of the node.
_IDENTITY = ("kubelet", "host_is_the_declared_node")

#: Checks that a reason names; the others are counted.
_NAMED = 3

#: Hexadecimal digits of the digest in a label, whose value may have 63 characters.
_DIGITS = 32


class Standing(StrEnum):
    """How a host stands after a verification."""

    PASSED = "passed"
    FAILED = "failed"
    #: Nothing speaks against the host, but not all of its checks could run, or it is not proved to be this node.
    UNVERIFIED = "unverified"
    #: A deploy reached the host and left it halfway.
    UNFINISHED = "unfinished"
    #: Some roles of the host were left out, and nothing speaks against the others.
    PARTIAL = "partial"


@dataclass(frozen=True)
class Judgment:
    """How a host stands, why, and by which report."""

    standing: Standing
    #: Why it does not stand as proved, in one line.
    reason: str = ""
    #: Digest of the host's report; none where there is no report.
    evidence: str = ""


def judge(checks: Sequence[Check], left_out: Sequence[str] = (), *, strict: bool = False) -> Judgment:
    """Judge one host.

    + checks: its checks; none where nothing could be checked
    + left_out: roles of the host with checks that the request left out
    + strict: what is unproven counts as failed
    """
    bad = [check for check in checks if _is_bad(check, strict=strict)]
    silent = [check for check in checks if check.whole_host]
    # A check that failed did run, whatever kept others from it: that much is known of the host.
    if silent and not any(check.outcome is Outcome.FAIL for check in checks):
        return unverified(silent[0].message)
    if bad:
        return Judgment(Standing.FAILED, _reason(bad, len(checks)), evidence(checks))
    if left_out:
        return Judgment(Standing.PARTIAL, f"not checked: {', '.join(left_out)}")
    if not checks:
        return unverified("its data declare no role that has checks")
    identity = next((check for check in checks if (check.role, check.check) == _IDENTITY), None)
    if identity is None or identity.outcome is not Outcome.PASS:
        return unverified(identity.message if identity else f"no check {' '.join(_IDENTITY)}")
    return Judgment(Standing.PASSED, evidence=evidence(checks))


def unverified(why: str) -> Judgment:
    """Judge a host of which too little is known."""
    return Judgment(Standing.UNVERIFIED, f"not verified: {_shortened(why)}")


def unfinished(*, reached: bool) -> Judgment:
    """Judge a host that a deploy did not bring to the end, and may have changed where it was reached."""
    judgment = unverified("the deploy did not come to its end")
    return replace(judgment, standing=Standing.UNFINISHED) if reached else judgment


def evidence(checks: Sequence[Check]) -> str:
    """Return the digest of a host's report, as a label may hold it.

    It is that of host, role, check, outcome and message of every check, in order of their names: the same findings have
    the same digest, whatever time they took.
    """
    rows = sorted([check.host, check.role, check.check, str(check.outcome), check.message] for check in checks)
    text = json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
    return f"sha256-{hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]}"


def _is_bad(check: Check, *, strict: bool) -> bool:
    return check.outcome in {Outcome.FAIL, Outcome.ERROR} or (strict and check.outcome is Outcome.UNPROVEN)


def _reason(bad: Sequence[Check], number: int) -> str:
    named = "; ".join(_described(check) for check in bad[:_NAMED])
    more = f"; and {len(bad) - _NAMED} more" if len(bad) > _NAMED else ""
    return f"{len(bad)} of {number} checks did not pass: {named}{more}"


def _described(check: Check) -> str:
    word = "" if check.outcome is Outcome.FAIL else f"{check.outcome}: "
    return f"{check.role} {check.check}: {word}{_shortened(check.message)}"


def _shortened(message: str) -> str:
    return textwrap.shorten(message, _LONGEST_MESSAGE, placeholder=" ...")
