"""JUnit's XML of a verification, as GitHub and other services read it: a suite per host, a case per check."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

from gpufleet.health.outcomes import Outcome
from gpufleet.health.verification import Check, Verification, counts

#: What JUnit calls an outcome; it has no word for unproven, and a skipped case is the one that proves nothing.
_ELEMENTS = {Outcome.FAIL: "failure", Outcome.ERROR: "error", Outcome.UNPROVEN: "skipped"}


def write(result: Verification, path: Path) -> None:
    """Write the verification to a file."""
    ET.ElementTree(tree(result)).write(path, encoding="utf-8", xml_declaration=True)


def tree(result: Verification) -> ET.Element:
    """Return the document's root."""
    root = ET.Element("testsuites", {"name": "gpufleet verify", **_numbers(result.checks)})
    for host, checks in result.hosts.items():
        suite = ET.SubElement(root, "testsuite", {"name": host, **_numbers(checks)})
        for check in checks:
            _add_case(suite, check)
    return root


def _add_case(suite: ET.Element, check: Check) -> None:
    seconds = f"{check.seconds:.3f}"
    case = ET.SubElement(suite, "testcase", classname=f"{check.host}.{check.role}", name=check.check, time=seconds)
    if element := _ELEMENTS.get(check.outcome):
        ET.SubElement(case, element, message=check.message)


def _numbers(checks: list[Check]) -> dict[str, str]:
    found = counts(checks)
    named = {
        "tests": len(checks),
        "failures": found[Outcome.FAIL],
        "errors": found[Outcome.ERROR],
        "skipped": found[Outcome.UNPROVEN],
    }
    return {name: str(number) for name, number in named.items()}
