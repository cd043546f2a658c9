"""Partitions of an InfiniBand subnet: typed options, and their lines in OpenSM's file."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

Membership = Literal["full", "limited"]
#: Codes of the InfiniBand Architecture Specification, as in enum ib_mtu and ib_rate of Linux' include/rdma/ib_verbs.h.
MTU_CODES = {256: 1, 512: 2, 1024: 3, 2048: 4, 4096: 5}
#: By Gb/s; OpenSM 3.3.23 creates no multicast group at 800 Gb/s (ERR 1B26).
RATE_CODES = {
    2.5: 2, 5: 5, 10: 3, 14: 11, 20: 6, 25: 15, 28: 19, 30: 4, 40: 7, 50: 20, 56: 12, 60: 8, 80: 9,
    100: 16, 112: 13, 120: 10, 168: 14, 200: 17, 300: 18, 400: 21, 600: 22,
}  # fmt: skip
GROUPS = ("ALL", "ALL_CAS", "ALL_SWITCHES", "ALL_ROUTERS", "SELF")
DEFAULT_KEY = 0x7FFF


def _number(value: object) -> object:
    """Take `0x8001` written as a text for a number."""
    return int(value, 16) if isinstance(value, str) and re.fullmatch(r"0[xX][0-9a-fA-F]+", value) else value


Hexadecimal = Annotated[int, BeforeValidator(_number)]


def guid(value: str) -> str:
    """Return a GUID as OpenSM prints it; refuse what is none."""
    digits = value.lower().removeprefix("0x").replace(":", "")
    if not re.fullmatch(r"[0-9a-f]{1,16}", digits) or not int(digits, 16):
        cure = "`ibstat` and `ibnetdiscover` print it"
        raise ValueError(f"expected a GUID such as 0xa088c2030012ab34, found {value!r}; {cure}")
    return f"0x{digits.zfill(16)}"


class Partition(BaseModel):
    """One partition: its key, and who is in it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_.-]*$", description="Name, for the log and for readers.")
    key: Hexadecimal = Field(
        description="Partition key without the membership bit, 0x0001 to 0x7fff; 0x7fff is the default partition."
    )
    members: dict[str, Membership] = Field(
        default={"ALL": "full"},
        description="`full` or `limited` by port GUID, or for `ALL`, `ALL_CAS`, `ALL_SWITCHES`, `ALL_ROUTERS` and "
        "`SELF`, the subnet manager's port.",
    )
    ipoib: bool = Field(default=False, description="Make the multicast group that IPoIB needs.")
    mtu: Literal[256, 512, 1024, 2048, 4096] | None = Field(default=None, description="MTU of that group in bytes.")
    rate: float | None = Field(default=None, description="Rate of that group in Gb/s: that of its slowest member.")
    sl: int | None = Field(default=None, ge=0, le=15, description="Service level.")

    @field_validator("key")
    @classmethod
    def _key_is_in_range(cls, key: int) -> int:
        if not 1 <= key <= DEFAULT_KEY:
            cure = "leave the highest bit out: it is the membership, which `members` gives" if key > DEFAULT_KEY else ""
            raise ValueError(
                f"expected a partition key from 0x0001 to 0x7fff, found {key:#06x}; {cure or 'choose another'}"
            )
        return key

    @field_validator("members")
    @classmethod
    def _members_are_ports(cls, members: dict[str, Membership]) -> dict[str, Membership]:
        return {name if name in GROUPS else guid(name): membership for name, membership in members.items()}

    @field_validator("rate")
    @classmethod
    def _rate_has_a_code(cls, rate: float | None) -> float | None:
        if rate is not None and rate not in RATE_CODES:
            known = ", ".join(f"{each:g}" for each in RATE_CODES)
            raise ValueError(f"expected a rate that InfiniBand has, found {rate:g} Gb/s; choose one of {known}")
        return rate

    @model_validator(mode="after")
    def _group_is_made(self) -> Self:
        given = [name for name in ("mtu", "rate") if getattr(self, name) is not None]
        if given and not self.ipoib:
            found = " and ".join(given)
            raise ValueError(f"expected {found} with ipoib: true, found it false; they are of IPoIB's multicast group")
        return self

    @property
    def definition(self) -> str:
        """Name, key and flags as OpenSM reads them."""
        codes = {
            "mtu": MTU_CODES[self.mtu] if self.mtu else None,
            "rate": RATE_CODES[self.rate] if self.rate else None,
            "sl": self.sl,
        }
        flags = [f"{name}={code}" for name, code in codes.items() if code is not None]
        return ", ".join([f"{self.name}={self.key:#06x}", *["ipoib"] * self.ipoib, *flags])

    @property
    def member_list(self) -> str:
        """Members as OpenSM reads them."""
        return ", ".join(f"{name}={membership}" for name, membership in self.members.items())


#: What OpenSM makes where nothing is said of the default partition, with IPoIB.
DEFAULT = Partition(name="Default", key=DEFAULT_KEY, ipoib=True)
