"""What becomes of tests that need the programs of Kubernetes where they cannot be had."""

from __future__ import annotations

import pytest

from tests.support import kubernetes_at_hand


class Item:
    """A test of a name, with or without the marker."""

    def __init__(self, name: str, marked: bool) -> None:
        self.name, self.marked = name, marked

    def get_closest_marker(self, name: str) -> str | None:
        return name if self.marked and name == "kubernetes" else None


@pytest.mark.parametrize(
    ("missing", "environment", "runs", "left_out"),
    [
        ("", {}, ["a", "b"], []),
        ("no go", {}, ["a"], ["b"]),
        ("no go", {"CI": ""}, ["a"], ["b"]),
        ("no go", {"CI": "true"}, ["a", "b"], []),
        ("", {"CI": "true"}, ["a", "b"], []),
    ],
)
def test_what_runs(missing: str, environment: dict[str, str], runs: list[str], left_out: list[str]) -> None:
    items: list[pytest.Item] = [Item("a", False), Item("b", True)]  # type: ignore[list-item]
    kept, without = kubernetes_at_hand.chosen(items, missing, environment)
    assert ([item.name for item in kept], [item.name for item in without]) == (runs, left_out)


def test_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("KUBE_BIN_DIR", raising=False)
    monkeypatch.delenv("CONTAINERD_BIN_DIR", raising=False)
    assert kubernetes_at_hand.told(3) == "left out: 3 tests of Kubernetes: neither the program go nor KUBE_BIN_DIR"
    monkeypatch.setenv("KUBE_BIN_DIR", "/ready")
    assert kubernetes_at_hand.missing() == "neither the program go nor CONTAINERD_BIN_DIR"
    monkeypatch.setenv("CONTAINERD_BIN_DIR", "/ready")
    assert kubernetes_at_hand.missing() == ""
