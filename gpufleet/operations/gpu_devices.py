"""What containers find NVIDIA's devices by: links in /dev/char and a CDI specification, anew when they change."""

from __future__ import annotations

from collections.abc import Generator

from pyinfra.api.command import QuoteString, StringCommand
from pyinfra.api.operation import operation
from pyinfra.context import host

from gpufleet.containers.gpu_devices import Specification, differences
from gpufleet.facts.boot import RebootRequired
from gpufleet.facts.gpu_devices import DeviceLinks, GpuDevices, GpuSpecifications
from gpufleet.operations.nvidia import REBOOT_KEY

Commands = Generator[StringCommand, None, None]

#: Lines of the journal to show where the unit does not start.
LOG_LINES = 5


@operation()
def described(unit: str) -> Commands:
    """
    Have links and specification of the devices that are there: another driver or another MIG layout has them rewritten.

    Where the driver waits for a reboot, that will do it.

    + unit: full name of the unit that writes them

    **Example:**

    .. code:: python

        gpu_devices.described(name="Describe the devices to containers", unit="gpufleet-nvidia-devices.service")
    """
    devices = host.get_fact(GpuDevices)
    if REBOOT_KEY in host.get_fact(RebootRequired) or not devices.driver:
        host.noop("the devices are described at the boot that loads the driver")
        return
    written: dict[str, Specification] = host.get_fact(GpuSpecifications)
    wrong = [*differences(written, devices), *host.get_fact(DeviceLinks).missing]
    # Want them described as they are and have it so?
    if not wrong:
        host.noop(f"devices of driver {devices.driver} are described")
        return
    journal = StringCommand("journalctl", "--unit", QuoteString(unit), "--lines", str(LOG_LINES), "--output", "cat")
    last_words = StringCommand("{", journal, ">&2;", "exit 1;", "}")
    yield StringCommand("systemctl", "restart", QuoteString(unit), "||", last_words)
