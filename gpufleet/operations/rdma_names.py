"""Names of RDMA devices: put in force at once where nobody uses a device, else left to the next boot."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

from pyinfra.api.command import QuoteString, StringCommand
from pyinfra.api.operation import operation
from pyinfra.context import host

from gpufleet.facts.rdma import RdmaDevices, RdmaUsers
from gpufleet.operations import boot

Commands = Generator[Any, None, None]

#: Program that names the device of one PCI function; the rules of udev run it too.
PROGRAM = "/usr/local/lib/gpufleet/rdma-name.sh"
REBOOT_KEY = "rdma-names"


@operation()
def in_force(names: Mapping[str, str]) -> Commands:
    """
    Have the devices that are there called as declared; those in use get their names at the next boot, by udev.

    + names: device names by PCI address

    **Example:**

    .. code:: python

        rdma_names.in_force(names={"0000:18:00.0": "mlx5_0"}, name="Name the RDMA devices")
    """
    found = {device.pci: device.name for device in host.get_fact(RdmaDevices)}
    wrong = {pci: name for pci, name in names.items() if found.get(pci, name) != name}
    users = host.get_fact(RdmaUsers) if wrong else []
    if users:
        listed = ", ".join(f"{found[pci]} ({pci}) as {name}" for pci, name in wrong.items())
        text = f"RDMA devices get their names at the next boot, as {', '.join(users)} uses one now: {listed}"
        yield from boot.require_reboot._inner(key=REBOOT_KEY, text=text)
        return
    # Want these names and have them?
    if not wrong:
        host.noop(f"{len(names)} RDMA devices have their names, or will when they appear")
    for pci, name in wrong.items():
        yield StringCommand(PROGRAM, QuoteString(pci), QuoteString(name))
    yield from boot.clear_reboot._inner(key=REBOOT_KEY)
