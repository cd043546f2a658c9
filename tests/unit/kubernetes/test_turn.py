"""Which errors about one node keep the others from their turn; the nodes come one at a time here."""

from __future__ import annotations

import pytest

from gpufleet.errors import ClusterError, NodeError, UnansweredError
from gpufleet.kubernetes import turn
from gpufleet.kubernetes.turn import SILENCES, each

OF_ALL = "api: expected an answer of the API server, found none; wait"


@pytest.fixture(autouse=True)
def one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn, "AT_ONCE", 1)


def of(node: int) -> str:
    return f"api: expected an answer about {node}, found none; wait"


def run(*kinds: type[ClusterError] | None) -> tuple[list[int], list[str]]:
    """Return which nodes were asked about, and what came of each; None is for an answer."""
    asked: list[int] = []

    def do(node: int) -> str:
        asked.append(node)
        if kind := kinds[node]:
            raise kind("api", expected=f"an answer about {node}", found="none", cure="wait")
        return "done"

    return asked, [str(one) for one in each(range(len(kinds)), do)]


def test_a_fault_of_one_node_stops_no_other() -> None:
    assert run(NodeError, None, UnansweredError, None) == ([0, 1, 2, 3], [of(0), "done", of(2), "done"])


def test_a_fault_of_the_cluster_stops_the_rest() -> None:
    assert run(None, ClusterError, None, None) == ([0, 1], ["done", of(1), of(1), of(1)])


def test_silence_upon_silence_stops_the_rest() -> None:
    asked, found = run(*[UnansweredError] * (SILENCES + 2))
    assert asked == [*range(SILENCES)]
    assert found == [OF_ALL] * (SILENCES + 2)


@pytest.mark.parametrize("between", [None, NodeError])
def test_an_answer_between_breaks_a_silence(between: type[NodeError] | None) -> None:
    few = [UnansweredError] * (SILENCES - 1)
    asked, _ = run(*few, between, *few, None)
    assert len(asked) == 2 * SILENCES
