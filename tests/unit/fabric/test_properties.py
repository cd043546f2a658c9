"""Rules that hold for every two-tier fabric: an import agrees with itself, a single fault is found alone."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpufleet.errors import GpufleetError
from gpufleet.fabric import compare, importing, plan, writing
from gpufleet.fabric.answers import Answers
from gpufleet.fabric.discovered import Discovered, parse
from gpufleet.fabric.findings import Finding
from gpufleet.fabric.plan import Plan
from tests.support.fabric_faults import FAULTS, copy
from tests.support.fabrics import Fabric, two_tier

SHAPES = st.builds(
    two_tier, st.integers(2, 9), st.integers(2, 4), down=st.integers(2, 5), up=st.integers(2, 4), radix=st.just(12)
)
QUICK = settings(max_examples=40)


def lines(fabric: Fabric) -> list[str]:
    return "".join(fabric.text()).splitlines()


def discovered(fabric: Fabric) -> Discovered:
    return parse(lines(fabric), "net.txt")


def planned(text: str) -> Plan:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "fabric.yaml"
        path.write_text(text)
        return plan.load(path)


def findings(wanted: Plan, built: Fabric) -> tuple[Finding, ...]:
    return compare.check(wanted, discovered(built), Answers()).findings


@QUICK
@given(SHAPES, st.booleans())
def test_a_fabric_as_planned_has_no_findings(fabric: Fabric, guids: bool) -> None:
    assert findings(planned("".join(fabric.plan(guids=guids))), fabric) == ()


@pytest.mark.parametrize("fault", FAULTS)
@QUICK
@given(SHAPES, st.booleans(), st.randoms(use_true_random=False))
def test_a_single_fault_is_found_and_nothing_else(fault: str, fabric: Fabric, guids: bool, random: Random) -> None:
    wanted, built = planned("".join(fabric.plan(guids=guids))), copy(fabric)
    kind, names = FAULTS[fault](built, random)
    (finding,) = findings(wanted, built)
    assert finding.kind == kind
    assert [name for name in sorted(names) if name not in str(finding)] == []


@QUICK
@given(SHAPES, st.sampled_from([None, *FAULTS]), st.randoms(use_true_random=False))
def test_an_import_finds_nothing_wrong_with_itself(fabric: Fabric, fault: str | None, random: Random) -> None:
    if fault:
        FAULTS[fault](fabric, random)
    if fault == "same_guid":
        return  # two ports with one cable are no plan
    found = discovered(fabric)
    assert compare.check(planned(writing.text(importing.infer(found))), found, Answers()).findings == ()


@QUICK
@given(SHAPES)
def test_an_import_infers_roles_and_rails(fabric: Fabric) -> None:
    wanted, made = planned("".join(fabric.plan())), planned(writing.text(importing.infer(discovered(fabric))))
    roles = {name: (row.role, row.rail, row.ports) for name, row in made.switches.items()}
    assert roles == {name: (row.role, row.rail, row.ports) for name, row in wanted.switches.items()}
    assert {name: row.rail for name, row in made.devices.items()} == fabric.devices
    assert {frozenset(c[:2]) for c in made.cables} == {frozenset(c[:2]) for c in wanted.cables}


@QUICK
@given(SHAPES, st.data())
def test_text_cut_short_is_refused_or_smaller(fabric: Fabric, data: st.DataObject) -> None:
    """Whatever the place, a cut text never reads as a fabric with more than it says."""
    text = "".join(fabric.text())
    whole = discovered(fabric)
    cut = text[: data.draw(st.integers(0, len(text)))]
    part = Discovered()
    with suppress(GpufleetError):
        part = parse(cut.splitlines(), "net.txt")
    assert set(part.ends) <= set(whole.ends)


def test_every_pair_of_speeds_is_judged_by_their_order() -> None:
    fabric = two_tier(2, 2, down=2, up=2, radix=8)
    wanted = planned("".join(fabric.plan()))
    order = ("SDR", "DDR", "QDR", "FDR10", "FDR", "EDR", "HDR", "NDR", "XDR")
    for speed in order:
        built = copy(fabric)
        built.cables[0] = built.cables[0]._replace(speed=speed)
        found = [finding.kind for finding in findings(wanted, built)]
        assert found == (["slow"] if order.index(speed) < order.index("NDR") else [])
