"""Options of the role `ipoib`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from ipaddress import ip_interface
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    IPvAnyAddress,
    StringConstraints,
    field_validator,
    model_validator,
)

from gpufleet.network.links import FIRST_KEY, LARGEST_MTU, LAST_KEY, Link, Mode
from gpufleet.options import Named, RoleOptions

#: A network interface such as `ib0`, or an RDMA device and perhaps its port, such as `mlx5_0` or `mlx5_1/2`.
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]*(/[1-9])?$")]

#: Largest name of an interface, in characters (Linux, IFNAMSIZ less the closing zero); a partition adds five.
_LONGEST_NAME = 15


def _key(given: Any) -> Any:
    """Read a partition key, a number or its hexadecimal text, and refuse one that no child interface can have."""
    try:
        key = int(given, 16) if isinstance(given, str) else given
    except ValueError:
        key = None
    if not isinstance(key, int) or isinstance(key, bool) or not FIRST_KEY <= key <= LAST_KEY:
        found = f"{key:#06x}" if isinstance(key, int) and not isinstance(key, bool) else repr(given)
        cure = "take one that the subnet manager has; the interface itself is in the default partition 0xffff"
        raise ValueError(f"expected a partition key from {FIRST_KEY:#06x} to {LAST_KEY:#06x}, found {found}; {cure}")
    return key


class _Addressed(BaseModel):
    """What interfaces and partitions have in common; a misspelt option is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    mode: Mode = Field(
        default="datagram",
        description="Transport: `connected` allows larger packets, where the adapter's driver offers it.",
    )
    mtu: int | None = Field(
        default=None,
        ge=1280,
        description="MTU in bytes, at most 4092 (datagram, on a fabric of MTU 4096) or 65520 (connected); none leaves "
        "the kernel's.",
    )
    addresses: list[str] = Field(
        default=[], description="Addresses of this host with prefix length, such as `10.30.0.7/16`."
    )

    @field_validator("addresses")
    @classmethod
    def _addresses_are_whole(cls, addresses: list[str]) -> list[str]:
        return [_address(text) for text in addresses]

    @model_validator(mode="after")
    def _mtu_fits_the_mode(self) -> Self:
        largest = LARGEST_MTU[self.mode]
        if self.mtu is not None and self.mtu > largest:
            cure = "lower it" if self.mode == "connected" else "lower it, or set mode: connected"
            raise ValueError(f"expected an MTU of at most {largest} in mode {self.mode}, found {self.mtu}; {cure}")
        return self


def _address(text: str) -> str:
    cure = "write it like 10.30.0.7/16"
    try:
        address = ip_interface(text)
    except ValueError:
        address = None
    if address is None or "/" not in text:
        raise ValueError(f"expected an IPv4 or IPv6 address with its prefix length, found {text}; {cure}")
    if address.version == 4 and address.network.prefixlen < 31:
        ends = {address.network.network_address: "network", address.network.broadcast_address: "broadcast"}
        if address.ip in ends:
            found = f"the {ends[address.ip]} address {text}"
            raise ValueError(
                f"expected an address that a host can have, found {found}; give another of {address.network}"
            )
    return address.with_prefixlen


class Partition(_Addressed):
    """A child interface in a partition."""

    key: Annotated[int, BeforeValidator(_key)] = Field(
        description="Partition key from 0x8001 to 0xfffe; the subnet manager must have it for this host."
    )


class Interface(_Addressed):
    """An IPoIB interface, in the default partition."""

    partitions: list[Partition] = Field(default=[], description="Further partitions, each an interface of its own.")

    @field_validator("partitions")
    @classmethod
    def _every_key_once(cls, partitions: list[Partition]) -> list[Partition]:
        counts = Counter(part.key for part in partitions)
        twice = ", ".join(f"{key:#06x}" for key, times in counts.items() if times > 1)
        if twice:
            raise ValueError(f"expected every partition key once, found {twice} again; take it out")
        return partitions


class Ipoib(RoleOptions, key="ipoib"):
    """IP over InfiniBand."""

    manager: Literal["auto", "networkd", "netplan", "ifupdown", "networkmanager"] = Field(
        "auto", description="Network manager that is told; `auto` takes the one that the host uses."
    )
    interfaces: dict[Name, Interface] = Field(
        {},
        description="What each IPoIB interface is, by its name (`ib0`) or its RDMA device (`mlx5_0`, `mlx5_1/2` for "
        "port 2): `mode`, `mtu`, `addresses`, and `partitions` with the same and `key`.",
    )
    reach: list[IPvAnyAddress] = Field(
        [], description="Addresses of other hosts on the fabric that checks ping from this one."
    )

    @model_validator(mode="after")
    def _sound_together(self) -> Self:
        counts = Counter(value for _, value in self._addresses())
        twice = ", ".join(value for value, times in counts.items() if times > 1)
        if twice:
            raise ValueError(f"expected every address once, found {twice} again; take it out")
        for name, interface in self.interfaces.items():
            if len(name) + 5 * bool(interface.partitions) > _LONGEST_NAME:
                cure = "give its RDMA device, or rename it"
                raise ValueError(f"expected a name of at most 10 characters above partitions, found {name}; {cure}")
        return self

    def links(self) -> tuple[Link, ...]:
        """Return all links, each interface before its partitions."""
        return tuple(link for name in self.interfaces for link in self._links_of(name))

    def claims(self, host: Named) -> Iterable[tuple[str, str]]:
        """Return the addresses, each with its partition: the same address may be in use in another one."""
        return self._addresses()

    def _addresses(self) -> Iterator[tuple[str, str]]:
        for link in self.links():
            for address in link.addresses:
                place = f" in partition {link.key:#06x}" if link.key else ""
                yield f"ipoib.interfaces.{link.name}", f"{address.partition('/')[0]}{place}"

    def _links_of(self, name: str) -> Iterator[Link]:
        interface = self.interfaces[name]
        yield Link(name, interface.mode, interface.mtu, tuple(interface.addresses))
        for part in interface.partitions:
            yield Link(name, part.mode, part.mtu, tuple(part.addresses), parent=name, key=part.key)
