"""The steps of the role `nic_firmware`, in the order in which they run."""

from __future__ import annotations

from pyinfra.api.deploy import deploy
from pyinfra.context import host

from gpufleet.facts.adapter_firmware import Configurator
from gpufleet.facts.hardware import MELLANOX, PciDevices
from gpufleet.operations import adapter_firmware, packages, stack
from roles.nic_firmware.options import NicFirmware

PACKAGE = "mstflint"


@deploy("Firmware of network adapters")
def nic_firmware() -> None:
    """Hold the settings in the firmware of Mellanox adapters against what is declared, and write them where asked to.

    It configures:

    - the package `mstflint`, unless DOCA's `mlxconfig` is there
    - with `apply: true` the declared settings, by `mstconfig set`, and a reason to reboot until they are in force
    - with `apply: false` nothing: `pyinfra -v` and the checks show declared, current and next value

    It will not:

    - flash firmware: a minimum version is checked, and the rest is for a maintenance window
    - reset adapters or reboot; some settings are loaded by a power cycle alone, then the reason to reboot comes back
    - put settings back that are no longer declared: `mstconfig reset` does, for all of an adapter's at once
    - write anything where an adapter does not answer or lacks a declared setting: it fails and says which
    - touch hosts whose data have no key `nic_firmware`, or that have no such adapter
    """
    options = NicFirmware.of(host)
    if host.data.get(options.key) is None:
        stack.left_alone(name="Leave adapters' firmware alone", why="the host's data have no key nic_firmware")
        return
    devices: list[str] = [
        device.address
        for device in host.get_fact(PciDevices)
        if device.vendor == MELLANOX and device.class_code.startswith("02")
    ]
    if not devices:
        stack.left_alone(name="Leave adapters' firmware alone", why="no Mellanox adapter on the PCI bus")
        return
    if host.get_fact(Configurator) != "mlxconfig":
        packages.exact(packages=[PACKAGE], timeout=options.install_timeout, name="Install mstflint")
    adapter_firmware.configured(
        rules=options.rules,
        apply=options.apply,
        timeout=options.timeout,
        name="Write the declared firmware settings" if options.apply else "Compare the declared firmware settings",
    )
