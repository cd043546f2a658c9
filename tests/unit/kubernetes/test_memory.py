"""Reserved memory of NUMA nodes: the sum that the kubelet checks, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpufleet.kubernetes.memory import NumaNode, required, shares
from gpufleet.kubernetes.quantity import MEBIBYTE, count, exact, written

GIBIBYTE = 1024 * MEBIBYTE
TWO = [NumaNode(0, 1000 * GIBIBYTE), NumaNode(1, 1000 * GIBIBYTE)]
NODES = st.lists(
    st.builds(NumaNode, st.integers(0, 63), st.integers(0, 4 * 2**40), st.booleans()),
    min_size=1,
    max_size=8,
    unique_by=lambda node: node.number,
)


@given(NODES, st.data())
def test_parts_add_up_and_fit(nodes: list[NumaNode], data: st.DataObject) -> None:
    room = sum(node.memory for node in nodes if node.has_cpus)
    if not room:
        return
    total = data.draw(st.integers(1, room))
    parts = shares(total, nodes, {})
    assert sum(parts.values()) == total
    assert all(0 < parts[node.number] <= node.memory for node in nodes if node.number in parts)
    assert all(node.has_cpus for node in nodes if node.number in parts)


SIZES = st.lists(st.integers(64, 4 * 2**30), min_size=1, max_size=8)


@given(SIZES, st.data())
def test_the_split_is_the_same_whatever_huge_pages_are_in_force(sizes: list[int], data: st.DataObject) -> None:
    """Each part fits beside them, as reserved memory is a small part of what huge pages leave."""
    memory = [size * 1024 for size in sizes]
    total = data.draw(st.integers(1, sum(memory)))
    before = shares(total, [NumaNode(number, size) for number, size in enumerate(memory)], {})
    huge = [data.draw(st.integers(0, size - before.get(number, 0))) for number, size in enumerate(memory)]
    nodes = [NumaNode(number, size - huge[number], huge=huge[number]) for number, size in enumerate(memory)]
    assert shares(total, nodes, {}) == before


def test_the_split_of_two_nodes_that_are_not_alike() -> None:
    pages = 32 * GIBIBYTE
    sizes = (263_000_000 * 1024, 264_200_000 * 1024)
    for huge in (0, pages):
        nodes = [NumaNode(number, size - huge, huge=huge) for number, size in enumerate(sizes)]
        parts = shares(3 * GIBIBYTE, nodes, {})
        assert {number: written(part) for number, part in parts.items()} == {0: "1532Mi", 1: "1540Mi"}


def test_a_part_that_huge_pages_leave_no_room_for_goes_elsewhere() -> None:
    nodes = [NumaNode(0, GIBIBYTE, huge=999 * GIBIBYTE), NumaNode(1, 1000 * GIBIBYTE)]
    assert shares(4 * GIBIBYTE, nodes, {}) == {0: GIBIBYTE, 1: 3 * GIBIBYTE}


@given(st.integers(0, 2**50))
def test_what_is_written_is_read(number: int) -> None:
    assert count(written(number)) == number


@pytest.mark.parametrize(
    ("kube", "system", "eviction", "parts"),
    [
        ("512Mi", "512Mi", "100Mi", {0: "562Mi", 1: "562Mi"}),
        ("1Gi", "1Gi", "101Mi", {0: "1075Mi", 1: "1074Mi"}),
        ("1G", "1Gi", "1Gi", {0: "1574619648", 1: "1500Mi"}),
    ],
)
def test_even_parts(kube: str, system: str, eviction: str, parts: dict[int, str]) -> None:
    total = required(kube, system, eviction)
    assert total == count(kube) + count(system) + count(eviction)
    assert {number: written(part) for number, part in shares(total, TWO, {}).items()} == parts


def test_nodes_without_processors_get_no_part() -> None:
    nodes = [*TWO, NumaNode(2, 90 * GIBIBYTE, has_cpus=False)]
    assert shares(4 * GIBIBYTE, nodes, {}) == {0: 2 * GIBIBYTE, 1: 2 * GIBIBYTE}


def test_given_parts() -> None:
    assert shares(3 * GIBIBYTE, TWO, {1: GIBIBYTE, 0: 2 * GIBIBYTE}) == {0: 2 * GIBIBYTE, 1: GIBIBYTE}


@pytest.mark.parametrize(
    ("total", "given_parts", "message"),
    [
        (0, {}, "expected memory reserved beside the static memory manager, found none; reserve some"),
        (GIBIBYTE, {2: GIBIBYTE}, "expected NUMA nodes that the machine has (0, 1), found 2; correct them"),
        (
            3 * GIBIBYTE,
            {0: GIBIBYTE, 1: GIBIBYTE},
            "expected 3Gi over all NUMA nodes, which kube, system and the hard threshold of eviction add up to, "
            "found 2Gi; give parts of that sum, or none",
        ),
        (
            3000 * GIBIBYTE,
            {},
            "expected at most 1000Gi on NUMA node 0, all that it has beside huge pages, found 3000Gi; reserve less",
        ),
    ],
)
def test_refused(total: int, given_parts: Mapping[int, int], message: str) -> None:
    with pytest.raises(ValueError, match="expected") as refused:
        shares(total, TWO, given_parts)
    assert str(refused.value) == message


def test_percent_is_refused() -> None:
    with pytest.raises(ValueError, match="in bytes") as refused:
        required("1Gi", "1Gi", "5%")
    assert str(refused.value) == (
        "expected the threshold memory.available of evictionHard in bytes, such as 1Gi, beside the static memory "
        "manager, found 5%; the sum over NUMA nodes must be exact"
    )


@pytest.mark.parametrize(("text", "value"), [("500m", 0.5), ("2", 2), ("1.5Gi", 1.5 * GIBIBYTE), ("2k", 2000)])
def test_quantities(text: str, value: float) -> None:
    assert exact(text) == value


@pytest.mark.parametrize("text", ["", "5%", "1 Gi", "-1", "1GiB", "1e3"])
def test_other_quantities(text: str) -> None:
    with pytest.raises(ValueError, match="quantity") as refused:
        exact(text)
    assert str(refused.value) == f"expected a quantity such as 512Mi, 2 or 500m, found {text!r}; write it so"


def test_half_a_byte() -> None:
    with pytest.raises(ValueError, match="whole") as refused:
        count("500m")
    assert str(refused.value) == "expected a whole number of bytes, such as 512Mi, found '500m'; write a whole one"
