"""PCI Express settings that a unit makes at every boot: made now too, where a device has others."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass

from pyinfra.api.command import QuoteString, StringCommand
from pyinfra.api.operation import operation
from pyinfra.context import host

from gpufleet.facts.pcie import MAX_READ_REQUEST, RELAXED_ORDERING, AcsControls, DeviceControl, DeviceControls

Commands = Generator[StringCommand, None, None]


@dataclass(frozen=True)
class Register:
    """Bits of Device Control that a kind of device is to have; bits outside of `mask` stay."""

    value: int
    mask: int

    @classmethod
    def of(cls, max_read_request: int | None, relaxed_ordering: bool | None) -> Register:
        """Return the bits of these settings; None leaves a setting as it is."""
        value = mask = 0
        if max_read_request is not None:
            mask |= MAX_READ_REQUEST
            value |= ((max_read_request // 128).bit_length() - 1) << 12
        if relaxed_ordering is not None:
            mask |= RELAXED_ORDERING
            value |= RELAXED_ORDERING * relaxed_ordering
        return cls(value, mask)

    @property
    def words(self) -> str:
        """The bits as setpci takes them, such as `5010:7010`."""
        return f"{self.value:04x}:{self.mask:04x}"

    def holds(self, found: DeviceControl) -> bool:
        """Whether a device has these bits."""
        return found.value & self.mask == self.value


@operation()
def in_force(unit: str, registers: Mapping[str, Register], acs_off: bool) -> Commands:
    """
    Run the unit again where a device or a bridge has other settings than it makes.

    + unit: full unit name, of a unit that has run
    + registers: bits of Device Control by kind of device, such as `15b3:1021`
    + acs_off: whether bridges above GPUs and adapters are to send nothing through the root complex

    **Example:**

    .. code:: python

        pcie.in_force(unit="x.service", registers={}, acs_off=True, name="Put the settings in force")
    """
    controls = host.get_fact(DeviceControls) if registers else []
    wrong = [row.address for row in controls if row.kind in registers and not registers[row.kind].holds(row)]
    wrong += [bridge for bridge, value in host.get_fact(AcsControls).items() if value] if acs_off else []
    # Want these settings and have them?
    if not wrong:
        host.noop("every PCI device has its settings")
        return
    yield StringCommand("systemctl", "restart", QuoteString(unit))
