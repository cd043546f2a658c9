"""Typed options of roles: declared once with type, default and text, read from a host's inventory data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Protocol, Self

from pydantic import BaseModel, ConfigDict

from gpufleet.errors import Fault


class HasData(Protocol):
    """A pyinfra host, or anything else that carries merged inventory data."""

    @property
    def data(self) -> Any:
        """Merged data of the host, with `get(key, default)`."""


class Named(HasData, Protocol):
    """Such a host, with its name."""

    @property
    def name(self) -> str:
        """Name in the inventory."""


class RoleOptions(BaseModel):
    """The knobs of one role: `class NvidiaDriver(RoleOptions, key="nvidia_driver")`.

    The key is the name of the role, of its dictionary in the inventory's group data, and of its folder in `roles/`.
    Unknown keys are refused. Instances are frozen: a role passes them down and never changes them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    #: Name of the role and of its dictionary in group data.
    key: ClassVar[str]

    def __init_subclass__(cls, *, key: str, **kwargs: Any) -> None:
        """Record the role's key given in the class statement."""
        super().__init_subclass__(**kwargs)
        cls.key = key

    @classmethod
    def of(cls, host: HasData) -> Self:
        """Read and validate the options of one host.

        Raises pydantic's ValidationError; `gpufleet validate` reports the same faults for all hosts beforehand.
        """
        return cls.model_validate(host.data.get(cls.key, {}))

    def faults(self, host: HasData) -> Iterable[Fault]:
        """Return what is wrong with these options beside the host's other data; roles with such rules override it.

        `gpufleet validate` calls it for every host whose options are right in themselves, and adds the host's name.
        """
        return ()

    def claims(self, host: Named) -> Iterable[tuple[str, str]]:
        """Return what no two hosts of an inventory may have, as pairs of option and value, such as addresses.

        `gpufleet validate` compares the hosts; roles with such values override it.

        + host: the host whose options these are
        """
        return ()

    def wish(self) -> Mapping[str, Any]:
        """Return what this role wants of the stack: fields of `gpufleet.stack.wish.Wish`; roles with one override it.

        The wishes of all roles of a host are resolved together, so that what does not fit is refused beforehand.
        """
        return {}
