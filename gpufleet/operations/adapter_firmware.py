"""Settings in the firmware of network adapters: a diff, written where that is asked for, in force after a boot."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from pyinfra.api.command import QuoteString, StringCommand
from pyinfra.api.operation import operation
from pyinfra.context import host

from gpufleet.errors import HostError
from gpufleet.facts.adapter_firmware import AdapterFirmware, Configurator
from gpufleet.operations import boot, nvidia
from gpufleet.stack.adapter_settings import (
    Adapter,
    Difference,
    Rule,
    differences,
    is_older,
    meant,
    minimum,
    text,
    unknown,
)

Commands = Generator[Any, None, None]

#: Key of the reason to reboot.
REBOOT_KEY = "nic-firmware"


@operation()
def configured(rules: Sequence[Rule], apply: bool = False, timeout: int = 300) -> Commands:
    """
    Write the declared settings into adapters, or only say how they differ; what waits for a boot is recorded.

    Nothing is written where a rule cannot be met: an adapter that does not answer, a setting that it does not have.
    Firmware that cannot tell what it works by keeps a recorded reason to reboot until the boot itself takes it away.

    + rules: what is declared, by PCI address, PSID or PCI device id
    + apply: whether to write
    + timeout: seconds writing to one adapter may take

    **Example:**

    .. code:: python

        adapter_firmware.configured(name="Set the adapters' firmware", rules=rules, apply=True)
    """
    answers: list[Adapter] = host.get_fact(AdapterFirmware)
    adapters = meant(answers, rules)
    if refusals := [refusal for adapter in adapters if (refusal := _refusal(adapter, rules))]:
        yield from nvidia.refused._inner(errors=refusals)
        return
    found = {adapter.address: differences(adapter, rules) for adapter in adapters}
    for adapter in adapters:
        _say(adapter, found[adapter.address], rules)
        unwritten = [row for row in found[adapter.address] if not row.is_written]
        if apply and unwritten:
            yield _written(adapter, unwritten, timeout)
    waiting = {address: [row for row in rows if apply or row.is_written] for address, rows in found.items()}
    if named := {address: rows for address, rows in waiting.items() if rows}:
        yield from _recorded(named)
    elif all(setting.current for adapter in adapters for setting in adapter.settings.values()):
        yield from boot.clear_reboot._inner(key=REBOOT_KEY)


def _refusal(adapter: Adapter, rules: Sequence[Rule]) -> HostError | None:
    where = f"{host.name}: adapter {adapter.address}"
    if adapter.error:
        cure = "run `mstconfig -d ADDRESS query` there; a card in recovery mode needs its vendor's flash tool"
        return HostError(where, expected="an answer of its firmware", found=adapter.error, cure=cure)
    if missing := unknown(adapter, rules):
        return HostError(
            where,
            expected=f"settings that firmware {adapter.firmware} of {adapter.psid} has",
            found=f"no {', '.join(missing)}",
            cure="look for them in `mstconfig -d ADDRESS query`; some need ADVANCED_PCI_SETTINGS or newer firmware",
        )
    return None


def _say(adapter: Adapter, rows: Sequence[Difference], rules: Sequence[Rule]) -> None:
    oldest = minimum(adapter, rules)
    if oldest and is_older(adapter.firmware, oldest):
        host.noop(f"{adapter.address}: firmware {adapter.firmware} is older than {oldest}; this role flashes none")
    host.noop(f"{adapter.address}: {'; '.join(map(str, rows)) or 'settings are as declared'}")


def _written(adapter: Adapter, rows: Sequence[Difference], timeout: int) -> StringCommand:
    tool = host.get_fact(Configurator) or "mstconfig"
    values = [QuoteString(f"{row.name}={text(row.declared)}") for row in rows]
    return StringCommand("timeout", str(timeout), tool, "-y", "-d", QuoteString(adapter.address), "set", *values)


def _recorded(waiting: dict[str, list[Difference]]) -> Commands:
    """Record what a boot has to load."""
    parts = [f"{address} {', '.join(row.name for row in rows)}" for address, rows in sorted(waiting.items())]
    reason = f"firmware settings of adapters wait for a boot, some for a power cycle: {'; '.join(parts)}"
    yield from boot.require_reboot._inner(key=REBOOT_KEY, text=reason)
