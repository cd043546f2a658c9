"""How many NUMA nodes the kubelet's managers work with."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from gpufleet.kubernetes.numa_limits import OPTION, excesses, most

#: Two processors, four GPUs with eight nodes each.
GB200 = 34


@pytest.mark.parametrize(
    ("topology", "options", "memory", "nodes", "expected"),
    [
        ("best-effort", {}, "Static", 8, []),
        ("best-effort", {}, "Static", 9, ["topology", "memory"]),
        ("best-effort", {}, "Static", GB200, ["topology", "memory"]),
        ("none", {}, "Static", GB200, ["memory"]),
        ("single-numa-node", {}, "None", GB200, ["topology"]),
        ("none", {}, "None", GB200, []),
        ("restricted", {OPTION: "34"}, "None", GB200, []),
        ("restricted", {OPTION: "33"}, "None", GB200, ["topology"]),
        ("restricted", {OPTION: "34"}, "Static", GB200, ["memory"]),
    ],
)
def test_excesses(topology: str, options: Mapping[str, str], memory: str, nodes: int, expected: list[str]) -> None:
    assert [each.option for each in excesses(topology, options, memory, nodes)] == expected


@pytest.mark.parametrize("text", ["7", "-1", "many", "", "8.0"])
def test_a_number_by_which_the_kubelet_ends(text: str) -> None:
    with pytest.raises(ValueError, match=OPTION) as refused:
        most({OPTION: text})
    assert str(refused.value) == (
        f"expected {OPTION} of 8 or more, found {text!r}; write such a number, or leave it out"
    )
