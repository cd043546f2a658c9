"""Nodes of one cluster in turn, several at a time; once its API server cannot be asked, the rest is not tried."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Generic, TypeVar

from gpufleet.errors import ClusterError, NodeError, UnansweredError

#: Nodes worked on at the same time; beyond that an API server lets one user's requests queue.
AT_ONCE = 8

#: Requests without an answer, one after another and each sent several times, after which there is nobody to answer.
SILENCES = 5

Node = TypeVar("Node")
Result = TypeVar("Result")


def each(nodes: Sequence[Node], do: Callable[[Node], Result]) -> list[Result | ClusterError]:
    """Do something to every node; those that one refusal of the API server kept from it all get the same one."""
    turn = _Turn(do)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        done = list(pool.map(turn.one, nodes))
    return [turn.in_common(result) for result in done]


class _Turn(Generic[Node, Result]):
    def __init__(self, do: Callable[[Node], Result]) -> None:
        self._do = do
        self._lock = Lock()
        self._silences = 0
        self._refusal: ClusterError | None = None

    def one(self, node: Node) -> Result | ClusterError:
        """Do it to one node, unless the API server is given up."""
        if self._refusal:
            return self._refusal
        try:
            done: Result | ClusterError = self._do(node)
        except ClusterError as error:
            done = error
        with self._lock:
            self._silences = self._silences + 1 if isinstance(done, UnansweredError) else 0
            if self._refusal is None:
                self._refusal = self._of_all(done)
        return done

    def in_common(self, done: Result | ClusterError) -> Result | ClusterError:
        """Return the one refusal for what several nodes, asked at once, were each told of it in other words."""
        if self._refusal is None or not isinstance(done, ClusterError):
            return done
        return self._refusal if not isinstance(done, NodeError) or done.found == self._refusal.found else done

    def _of_all(self, done: Result | ClusterError) -> ClusterError | None:
        """Return what keeps every other node from it too."""
        if isinstance(done, NodeError):
            expected = "an answer of the API server"
            silent = ClusterError(done.where, expected=expected, found=done.found, cure=done.cure)
            return silent if self._silences >= SILENCES else None
        return done if isinstance(done, ClusterError) else None
