"""Names that Kubernetes allows and refuses, each refusal in its own words."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gpufleet.kubernetes.names import (
    PREFLIGHT,
    Taint,
    kubelet_may_set,
    label_key,
    label_value,
    node_name,
    safe_value,
)

DNS = (
    "expected a name of lowercase letters, digits, `-` and `.` that begins and ends with a letter or digit, 253 "
    "characters at most, as Kubernetes demands of a node (RFC 1123), found {}; set node_name to one, or rename the host"
)
KEY = (
    "expected a key such as example.org/rack, found {}; its last part has 63 letters, digits, `-`, `_` and `.` at "
    "most, begins and ends with a letter or digit, and may have a domain before it"
)
VALUE = (
    "expected a value of 63 letters, digits, `-`, `_` and `.` at most that begins and ends with a letter or digit, "
    "found {}; write it so"
)
PARTS = st.from_regex(re.compile(r"[a-z0-9]([-a-z0-9]{0,8}[a-z0-9])?", re.ASCII), fullmatch=True)
WORDS = st.from_regex(re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,20}[A-Za-z0-9])?", re.ASCII), fullmatch=True)


@given(st.lists(PARTS, min_size=1, max_size=8))
def test_subdomains_are_names_of_nodes(parts: list[str]) -> None:
    name = ".".join(parts)
    assert node_name(name) == name


@pytest.mark.parametrize(
    "text", ["GPU-07", "gpu_07", "", "-gpu", "gpu-", ".gpu", "gpu.", "gpu..07", "gpu 07", "gpu-07\n", "a" * 254, "gpü"]
)
def test_other_names_of_nodes(text: str) -> None:
    with pytest.raises(ValueError, match="RFC 1123") as refused:
        node_name(text)
    assert str(refused.value) == DNS.format(repr(text))


@given(st.lists(PARTS, min_size=1, max_size=4), WORDS)
def test_keys(parts: list[str], word: str) -> None:
    assert label_key(word) == word
    assert label_key(f"{'.'.join(parts)}/{word}") == f"{'.'.join(parts)}/{word}"


@pytest.mark.parametrize("text", ["", "/rack", "Example.org/rack", "a/b/c", "example.org/", "rack-", "a" * 64, "r k"])
def test_other_keys(text: str) -> None:
    with pytest.raises(ValueError, match="expected a key") as refused:
        label_key(text)
    assert str(refused.value) == KEY.format(repr(text))


@pytest.mark.parametrize("text", ["a b", "-a", "a-", "a" * 64, "a/b"])
def test_other_values(text: str) -> None:
    with pytest.raises(ValueError, match="expected a value") as refused:
        label_value(text)
    assert str(refused.value) == VALUE.format(repr(text))


@given(st.text())
def test_any_text_makes_a_value(text: str) -> None:
    assert label_value(safe_value(text)) == safe_value(text)
    assert safe_value(safe_value(text)) == safe_value(text)


def test_value_of_a_product() -> None:
    assert safe_value("NVIDIA H100 80GB HBM3") == "NVIDIA-H100-80GB-HBM3"


@pytest.mark.parametrize(
    ("key", "may"),
    [
        ("gpufleet.dev/gpu-count", True),
        ("rack", True),
        ("nvidia.com/gpu.product", True),
        ("topology.kubernetes.io/zone", True),
        ("node.kubernetes.io/instance-type", True),
        ("x.kubelet.kubernetes.io/y", True),
        ("node-role.kubernetes.io/gpu", False),
        ("kubernetes.io/role", False),
        ("foo.k8s.io/bar", False),
        ("node-restriction.kubernetes.io/x", False),
        ("notkubernetes.io/x", True),
    ],
)
def test_what_a_kubelet_may_set(key: str, may: bool) -> None:
    assert kubelet_may_set(key) is may


def test_taints() -> None:
    assert str(PREFLIGHT) == "gpufleet.dev/preflight=pending:NoSchedule"
    assert str(Taint(key="a", effect="NoExecute")) == "a:NoExecute"
    with pytest.raises(ValidationError) as refused:
        Taint(key="a", value="b c", effect="Never")  # type: ignore[arg-type]
    assert [error["msg"].removeprefix("Value error, ") for error in refused.value.errors()] == [
        VALUE.format("'b c'"),
        "Input should be 'NoSchedule', 'PreferNoSchedule' or 'NoExecute'",
    ]
