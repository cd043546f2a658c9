"""The shape of errors, and many hosts in one line."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpufleet import hostset
from gpufleet.errors import Fault, FaultsFoundError, GpufleetError, HostError, InventoryError, fault_lines
from gpufleet.nearest import did_you_mean, nearest


def test_an_error_names_place_expected_found_and_cure() -> None:
    error = InventoryError("fleet.py:3", expected="a list", found="a set", cure="use brackets")
    assert str(error) == "fleet.py:3: expected a list, found a set; use brackets"


@pytest.mark.parametrize(("error", "exit_code"), [(GpufleetError, 2), (InventoryError, 2), (HostError, 1)])
def test_exit_codes(error: type[GpufleetError], exit_code: int) -> None:
    assert error.exit_code == exit_code


def test_a_fault_is_one_line() -> None:
    fault = Fault("nvidia_driver.flavour", "unknown option", "did you mean flavor?", host="gpu-07")
    assert str(fault) == "gpu-07: nvidia_driver.flavour: unknown option; did you mean flavor?"


def test_a_fault_without_a_host_is_one_line() -> None:
    assert str(Fault("fleet.py", "no group", "add one")) == "fleet.py: no group; add one"


def test_faults_are_counted_and_those_of_many_hosts_share_a_line() -> None:
    many = [Fault("base.swap", "unknown value", "did you mean off?", f"gpu-{n:04}") for n in range(1, 2001)]
    error = FaultsFoundError("fleet.py", [*many, Fault("fleet.py", "no group", "add one")])
    assert str(error) == (
        "fleet.py: expected no faults, found 2001 faults; correct the lines below; nothing was touched\n"
        "  gpu-[0001-2000]: base.swap: unknown value; did you mean off?\n"
        "  fleet.py: no group; add one"
    )


def test_one_fault_is_counted_as_one() -> None:
    error = FaultsFoundError("fleet.py", [Fault("a", "b", "c")])
    assert str(error).splitlines()[0] == (
        "fleet.py: expected no faults, found 1 fault; correct the lines below; nothing was touched"
    )


def test_hosts_that_do_not_fold_are_cut_short() -> None:
    names = ["ash", "birch", "cedar", "elm", "fir"]
    assert fault_lines([Fault("x", "p", "c", name) for name in names]) == ["5 hosts (ash, birch, cedar, ...): x: p; c"]


@pytest.mark.parametrize(
    ("names", "folded"),
    [
        ([], []),
        (["gpu-01"], ["gpu-01"]),
        (["gpu-02", "gpu-01", "gpu-04"], ["gpu-[01-02,04]"]),
        (["gpu-9", "gpu-10", "gpu-11"], ["gpu-9", "gpu-[10-11]"]),
        (["r1-gpu-1.x", "r1-gpu-2.x", "r2-gpu-1.x"], ["r1-gpu-[1-2].x", "r2-gpu-1.x"]),
        (["head", "gpu-1"], ["head", "gpu-1"]),
    ],
)
def test_fold(names: list[str], folded: list[str]) -> None:
    assert hostset.fold(names) == folded


def unfolded(pieces: list[str]) -> Iterator[str]:
    for piece in pieces:
        if match := re.fullmatch(r"(.*)\[(.*)\](.*)", piece):
            for span in match[2].split(","):
                first, _, last = span.partition("-")
                for number in range(int(first), int(last or first) + 1):
                    yield f"{match[1]}{number:0{len(first)}}{match[3]}"
        else:
            yield piece


@given(st.sets(st.from_regex(r"[a-z][a-z0-9-]{0,4}[0-9]{0,3}(\.[a-z]{1,2})?", fullmatch=True)))
def test_folding_loses_no_name_and_invents_none(names: set[str]) -> None:
    assert sorted(unfolded(hostset.fold(names))) == sorted(names)


@pytest.mark.parametrize(
    ("name", "close"),
    [("flavour", "flavor"), ("Version", "version"), ("module-options", "module_options"), ("zzz", None)],
)
def test_nearest(name: str, close: str | None) -> None:
    assert nearest(name, ["flavor", "version", "module_options"]) == close


def test_did_you_mean_lists_what_is_known_where_nothing_is_near() -> None:
    assert did_you_mean("zzz", ["b", "a"], "roles") == "known roles: a, b"
    assert did_you_mean("zzz", [], "roles") == "known roles: none"
    assert did_you_mean("gpu-2", ["racks"], "groups", others=["gpu-1"]) == "did you mean gpu-1?"
