"""Options of the role infiniband that are refused, in their own words, and what the role decides by itself."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gpufleet.facts.pcie import DeviceControl
from gpufleet.operations.pcie import Register
from roles.infiniband.decisions import device_names, expected_port, kernel_arguments, registers
from roles.infiniband.options import Infiniband, Port

FIRST, SECOND = "0000:18:00.0", "0000:3b:00.0"


def options(**given: Any) -> Infiniband:
    return Infiniband.model_validate(given)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"provider": "ofed"}, "Input should be 'auto', 'inbox' or 'doca'"),
        ({"version": "3"}, "expected `auto` or a release, found '3'; write it like 3.2.3"),
        ({"modules": ["ib_ipoibb"]}, "Input should be 'ib_umad', 'ib_uverbs', 'rdma_ucm' or 'ib_ipoib'"),
        (
            {"names": {FIRST: "mlx5_0", SECOND: "mlx5_0"}},
            "expected a name for one device each, found mlx5_0 again; correct one of them",
        ),
        (
            {"names": {FIRST: "all"}},
            "expected a device's name, found 'all', which stands for every device; choose another",
        ),
        (
            {"names": {FIRST: "mlx5_0"}, "ports": {"mlx5_1": {}}},
            "expected a device that names has, found 'mlx5_1'; did you mean mlx5_0?",
        ),
        (
            {"names": {FIRST: "mlx5_0"}, "performance": {"devices": ["mlx5_1"]}},
            "expected a device that names has, found 'mlx5_1'; did you mean mlx5_0?",
        ),
        ({"performance": {"bandwidth": 0}}, "Input should be greater than 0"),
        ({"performance": {"memory": "gpus"}}, "Input should be 'host' or 'gpu'"),
        (
            {"counters": {"SymbolErorCounter": 1}},
            "expected a counter that is judged, found 'SymbolErorCounter'; did you mean SymbolErrorCounter?",
        ),
        ({"memlock": {"limit": 1}}, ["Input should be 'unlimited'", "Input should be greater than or equal to 64"]),
        ({"pcie": {"15b3:1021": {"max_read_request": 100}}}, "Input should be 128, 256, 512, 1024, 2048 or 4096"),
        ({"pcie": {"mlx5": {}}}, "String should match pattern '^[0-9a-f]{4}:[0-9a-f]{4}$'"),
        (
            {"kernel_arguments": ["iommu=pt quiet"]},
            "String should match pattern '^[A-Za-z0-9_.-]+(=[A-Za-z0-9_.,:=@+/-]+)?$'",
        ),
        ({"ports": {"all": {"rate": 0}}}, "Input should be greater than 0"),
    ],
)
def test_refused(data: dict[str, Any], message: str | list[str]) -> None:
    with pytest.raises(ValidationError) as refused:
        Infiniband.model_validate(data)
    found = [error["msg"].removeprefix("Value error, ") for error in refused.value.errors()]
    assert found == ([message] if isinstance(message, str) else message)


@pytest.mark.parametrize("address", ["18:00.0", "0000:18:00", "0000:18:00.8", "0000:3B:00.0"])
def test_pci_addresses_are_whole(address: str) -> None:
    with pytest.raises(ValidationError):
        Infiniband.model_validate({"names": {address: "mlx5_0"}})


@pytest.mark.parametrize(
    ("data", "wish"),
    [
        ({}, {"rdma_stack": "auto", "ofed": None}),
        ({"provider": "doca", "version": "3.2.3"}, {"rdma_stack": "doca", "ofed": "3.2.3"}),
    ],
)
def test_wish(data: dict[str, Any], wish: dict[str, Any]) -> None:
    assert Infiniband.model_validate(data).wish() == wish


def test_names_follow_the_order_on_the_bus() -> None:
    assert device_names(options(), [SECOND, FIRST]) == {FIRST: "mlx5_0", SECOND: "mlx5_1"}
    assert device_names(options(names="untouched"), [FIRST]) == {}
    assert device_names(options(names={SECOND: "rail1"}), [FIRST]) == {SECOND: "rail1"}


@pytest.mark.parametrize(
    ("data", "arch", "expected"),
    [
        ({}, "x86_64", []),
        ({"iommu": "passthrough"}, "x86_64", ["iommu=pt"]),
        ({"iommu": "passthrough"}, "aarch64", ["iommu.passthrough=1"]),
        ({"iommu": "off"}, "x86_64", ["intel_iommu=off", "amd_iommu=off"]),
        ({"iommu": "passthrough", "kernel_arguments": ["iommu=pt", "quiet"]}, "x86_64", ["iommu=pt", "quiet"]),
    ],
)
def test_arguments(data: dict[str, Any], arch: str, expected: list[str]) -> None:
    assert kernel_arguments(Infiniband.model_validate(data), arch) == expected


@pytest.mark.parametrize(
    ("size", "relaxed", "words"),
    [(4096, None, "5000:7000"), (128, None, "0000:7000"), (None, True, "0010:0010"), (512, False, "2000:7010")],
)
def test_words_of_setpci(size: int | None, relaxed: bool | None, words: str) -> None:
    assert Register.of(size, relaxed).words == words


@given(st.sampled_from([128, 256, 512, 1024, 2048, 4096]), st.booleans(), st.integers(0, 0xFFFF))
def test_a_register_that_was_written_holds(size: int, relaxed: bool, before: int) -> None:
    register = Register.of(size, relaxed)
    after = DeviceControl("x", "15b3:1021", before & ~register.mask | register.value)
    assert register.holds(after)
    assert (after.max_read_request, after.relaxed_ordering) == (size, relaxed)


def test_kinds_without_a_setting_have_no_register() -> None:
    assert registers(Infiniband.model_validate({"pcie": {"15b3:1021": {}}})) == {}


def test_ports_of_all_and_of_one() -> None:
    ports = {"all": {"rate": 400}, "mlx5_4": {"rate": 100, "link_layer": "Ethernet"}}
    found = options(ports=ports)
    assert expected_port(found, "mlx5_0") == Port(rate=400)
    assert expected_port(found, "mlx5_4") == Port(rate=100, link_layer="Ethernet")
    assert expected_port(options(), "mlx5_0") is None
