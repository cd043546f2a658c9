"""NVIDIA's devices: what specifications name, and what of it differs from what the driver lists."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gpufleet.containers.gpu_devices import KIND, SPECIFICATION, Devices, Links, Specification, differences

NAMES = st.lists(st.from_regex(r"\A(GPU|MIG)-[0-9a-f]{2}\Z"), unique=True, max_size=4).map(tuple)
DRIVER = st.sampled_from(["580.95.05", "570.195.03"])
NODES = st.dictionaries(
    st.from_regex(r"\A/dev/nvidia[0-9]\Z"), st.one_of(st.just(""), st.from_regex(r"\A195:[0-9]\Z")), max_size=4
)


def specification(driver: str, *names: str) -> dict[str, object]:
    """What nvidia-ctk writes, as far as it is read."""
    library = f"/usr/lib/x86_64-linux-gnu/libcuda.so.{driver}"
    devices = [{"name": name, "containerEdits": {}} for name in ("0", *names, "all")]
    return {"kind": KIND, "devices": devices, "containerEdits": {"mounts": [{"hostPath": library}]}}


@pytest.mark.parametrize("write", [yaml.safe_dump, json.dumps])
def test_read(write: Callable[[Any], str]) -> None:
    text = write(specification("580.95.05", "GPU-0a"))
    assert Specification.read(text) == Specification(("0", "GPU-0a", "all"), "580.95.05")


@pytest.mark.parametrize("text", ["", "a: [", "[]", "kind: x", "devices: all", "devices: [all, {}]", "\t"])
def test_read_what_is_none(text: str) -> None:
    assert Specification.read(text) == Specification()


@given(text=st.text(max_size=40))
def test_reading_never_fails(text: str) -> None:
    Specification.read(text)


@given(names=NAMES, driver=DRIVER, listed=NAMES, loaded=DRIVER)
def test_a_specification_is_right_of_the_same_driver_and_devices_alone(
    names: tuple[str, ...], driver: str, listed: tuple[str, ...], loaded: str
) -> None:
    there = {SPECIFICATION: Specification.read(yaml.safe_dump(specification(driver, *names)))}
    is_right = (driver, set(names)) == (loaded, set(listed))
    assert (not list(differences(there, Devices(loaded, listed)))) is is_right


def test_differences() -> None:
    there = {SPECIFICATION: Specification(("0", "GPU-0a", "MIG-7f"), "")}
    assert list(differences(there, Devices("580.95.05", ("GPU-0a", "GPU-0b", "GPU-0c")))) == [
        "files of driver none",
        "no GPU-0b, GPU-0c",
        "MIG-7f, which the driver does not list",
    ]
    assert list(differences({}, Devices("580.95.05", ()))) == [f"no {SPECIFICATION}"]


@given(nodes=NODES)
def test_links_to_all_nodes_leave_none_missing(nodes: dict[str, str]) -> None:
    """Every device needs its own numbers; for a file that is no device any numbers do."""
    numbers = {path: f"195:{position}" if number else "" for position, (path, number) in enumerate(nodes.items())}
    right = {number or f"1:{position}": path for position, (path, number) in enumerate(numbers.items())}
    assert Links(numbers, right).missing == ()
    assert Links(numbers, {}).missing == tuple(numbers)
    wrong = {f"508:{position}": path for position, path in enumerate(numbers)}
    assert Links(numbers, wrong).missing == tuple(path for path, number in numbers.items() if number)
