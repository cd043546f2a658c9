"""Typed options: what is accepted, and one exact line for everything that is not."""

from __future__ import annotations

import string
from collections.abc import Iterable
from typing import Annotated, Any, Literal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from gpufleet.errors import Fault, fault_lines
from gpufleet.inventory import option_faults
from gpufleet.inventory.hosts import InventoryHost, Opaque
from gpufleet.options import HasData, RoleOptions

README = "roles/driver/README.md lists the options"


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    memory: Literal["unlimited"] | Annotated[int, Field(ge=64)] = "unlimited"
    descriptors: int = 1024


class Server(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    address: str = Field(description="Where it listens.")


class Driver(RoleOptions, key="driver"):
    """A role with every kind of option."""

    version: str = Field(description="Exact version.")
    flavor: Literal["auto", "open", "proprietary"] = "auto"
    persistence: bool = True
    timeout: int = Field(default=600, gt=0)
    packages: list[str] = Field(default=[])
    limits: Part = Part()
    servers: list[Server] = Field(default=[])
    mirrors: dict[str, Server] = Field(default={})
    passphrase: SecretStr | None = None

    @field_validator("version")
    @classmethod
    def _not_latest(cls, version: str) -> str:
        if version == "latest":
            raise ValueError("expected an exact version, found latest; choose one")
        return version

    def faults(self, host: HasData) -> Iterable[Fault]:
        if self.flavor == "open" and host.data.get("gpu") == "v100":
            yield Fault("driver.flavor", "expected a flavor for v100, found open", "use proprietary")


def lines(given: Any, **data: Any) -> list[str]:
    host = InventoryHost("gpu-1", "ssh", (), {"driver": given, **data})
    return fault_lines(option_faults.find(host, {"driver": Driver}))


def test_options_come_from_the_dictionary_named_like_the_role() -> None:
    host = InventoryHost("gpu-1", "ssh", (), {"driver": {"version": "535.1"}, "other": {}})
    assert (Driver.of(host).version, Driver.of(host).timeout) == ("535.1", 600)


def test_options_are_frozen() -> None:
    options = Driver(version="535.1")
    with pytest.raises(ValidationError, match="Instance is frozen"):
        options.version = "550.1"


def test_a_host_without_the_role_has_no_faults() -> None:
    assert option_faults.find(InventoryHost("cpu-1", "ssh", (), {}), {"driver": Driver}) == []


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({}, "version: required option missing; add it, a str: Exact version"),
        ({"version": 535.1}, f"version: expected str, found 535.1 (float); {README}"),
        ({"version": "latest"}, "version: expected an exact version, found latest; choose one"),
        ({"version": "1", "flavour": "open"}, "flavour: unknown option; did you mean flavor?"),
        (
            {"version": "1", "qqq": 1},
            "qqq: unknown option; known options: flavor, limits, mirrors, packages, passphrase, persistence, "
            "servers, timeout, version",
        ),
        (
            {"version": "1", "flavor": "opne"},
            "flavor: expected 'auto', 'open' or 'proprietary', found 'opne' (str); did you mean 'open'?",
        ),
        ({"version": "1", "flavor": 1}, f"flavor: expected 'auto', 'open' or 'proprietary', found 1 (int); {README}"),
        ({"version": "1", "persistence": "maybe"}, f"persistence: expected bool, found 'maybe' (str); {README}"),
        ({"version": "1", "timeout": "soon"}, f"timeout: expected int, found 'soon' (str); {README}"),
        ({"version": "1", "timeout": 0}, f"timeout: expected greater than 0, found 0 (int); {README}"),
        ({"version": "1", "packages": "a"}, f"packages: expected list, found 'a' (str); {README}"),
        ({"version": "1", "packages": ["a", 2]}, f"packages[1]: expected str, found 2 (int); {README}"),
        ({"version": "1", "limits": {"memroy": 1}}, "limits.memroy: unknown option; did you mean memory?"),
        (
            {"version": "1", "limits": {"memory": 1}},
            f"limits.memory: expected 'unlimited' or greater than or equal to 64, found 1 (int); {README}",
        ),
        (
            {"version": "1", "servers": [{"adress": "a", "address": "b"}]},
            "servers[0].adress: unknown option; did you mean address?",
        ),
        (
            {"version": "1", "servers": [{}]},
            "servers[0].address: required option missing; add it, a str: Where it listens",
        ),
        (
            {"version": "1", "mirrors": {"de.debian": {"address": "a", "addres": "b"}}},
            "mirrors['de.debian'].addres: unknown option; did you mean address?",
        ),
        ({"version": "1", "passphrase": 12345}, f"passphrase: expected str, found a secret (int); {README}"),
        ({"version": "1", "packages": {"token": "hunter2"}}, f"packages: expected list, found a dict; {README}"),
        ({"version": Opaque("function")}, f"version: expected str, found a function; {README}"),
        ({"version": "1", "timeout": "x" * 99}, f"timeout: expected int, found '{'x' * 59}... (str); {README}"),
    ],
)
def test_one_line_says_what_is_wrong(given: dict[str, Any], fault: str) -> None:
    assert lines(given) == [f"gpu-1: driver.{fault}"]


def test_options_that_are_no_dictionary() -> None:
    assert lines("535.1") == [f"gpu-1: driver: expected dict of options, found '535.1' (str); {README}"]


def test_all_faults_of_a_role_come_together() -> None:
    assert lines({"flavour": "open", "timeout": "soon"}) == [
        "gpu-1: driver.version: required option missing; add it, a str: Exact version",
        f"gpu-1: driver.timeout: expected int, found 'soon' (str); {README}",
        "gpu-1: driver.flavour: unknown option; did you mean flavor?",
    ]


def test_a_role_may_hold_its_options_against_the_hosts_other_data() -> None:
    assert lines({"version": "1", "flavor": "open"}, gpu="v100") == [
        "gpu-1: driver.flavor: expected a flavor for v100, found open; use proprietary"
    ]


@st.composite
def one_edit(draw: st.DrawFn) -> tuple[str, str]:
    """Draw an option and a misspelling of it by one inserted, deleted, replaced or swapped letter."""
    name = draw(st.sampled_from(sorted(Driver.model_fields)))
    at = draw(st.integers(0, len(name) - 1))
    letter = draw(st.sampled_from(string.ascii_lowercase + "_"))
    edits = [
        name[:at] + letter + name[at:],
        name[:at] + name[at + 1 :],
        name[:at] + letter + name[at + 1 :],
        name[:at] + name[at : at + 2][::-1] + name[at + 2 :],
    ]
    return name, draw(st.sampled_from(edits))


@given(one_edit())
def test_a_misspelling_by_one_edit_is_one_fault_that_names_the_option(edit: tuple[str, str]) -> None:
    name, misspelt = edit
    assume(misspelt not in Driver.model_fields)
    assert lines({"version": "1", misspelt: 1}) == [
        f"gpu-1: driver{option_faults._written(misspelt)}: unknown option; did you mean {name}?"
    ]


@given(st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text())))
def test_any_dictionary_gets_options_or_faults_but_no_exception(given: dict[str, Any]) -> None:
    try:
        accepted = bool(Driver.model_validate(given))
    except ValidationError:
        accepted = False
    assert accepted == (not lines(given))
