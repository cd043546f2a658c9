"""Firmware of Mellanox network adapters, as mstflint and mstconfig read it; DOCA's flint and mlxconfig are the same."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pyinfra.api.facts import FactBase
from typing_extensions import override

from gpufleet.facts.hardware import MELLANOX
from gpufleet.stack.adapter_settings import Adapter, Setting

#: Tool that reads and writes settings, by the packages that bring it: mstflint's, and DOCA's MFT.
CONFIGURATORS = ("mstconfig", "mlxconfig")
#: Seconds one tool may take for one adapter.
TIMEOUT = 60
_COLUMNS = {"Default": "default", "Current": "current", "Next Boot": "next"}
#: A value and its number may fill their column, so that the next follows without a blank.
_VALUE = re.compile(r"[^\s()]*\(\d+\)|[^\s()]+")
_NAME = re.compile(r"^(?:\*|RO)?\s+(?P<name>[A-Z][A-Za-z0-9_]*)\s+(?P<values>\S.*)$")


class AdapterFirmware(FactBase[list[Adapter]]):
    """Firmware and settings of each adapter, by its first PCI function; an adapter that does not answer has an error.

    Reading them takes root, a few seconds for each adapter, and no kernel module.
    """

    default = list

    @override
    def command(self) -> str:
        """Ask every first function of class 02 that is no virtual one; nothing is asked where no tool is there."""
        flint, config = (f"$(command -v {first} || command -v {second})" for first, second in _TOOLS)
        return (
            f'f="{flint}"; c="{config}"; for d in /sys/bus/pci/devices/*.0; do '
            '[ -r "$d/vendor" ] && [ -r "$d/class" ] && [ ! -e "$d/physfn" ] || continue; '
            'read -r v <"$d/vendor"; read -r k <"$d/class"; read -r i <"$d/device"; '
            f'case "$v $k" in "0x{MELLANOX} 0x02"*) ;; *) continue;; esac; '
            'a="${d##*/}"; echo "== adapter $a $i"; [ -n "$f" ] && [ -n "$c" ] || continue; '
            f'timeout {TIMEOUT} "$f" -d "$a" q </dev/null 2>&1; echo "== firmware $?"; '
            f'timeout {TIMEOUT} "$c" -d "$a" -e q </dev/null 2>&1; echo "== settings $?"; done; true'
        )

    @override
    def process(self, output: list[str]) -> list[Adapter]:
        """Cut the answers apart, each before a line with its tool's exit status."""
        adapters: list[tuple[str, str, dict[str, tuple[int, list[str]]]]] = []
        lines: list[str] = []
        for line in output:
            if line.startswith("== adapter "):
                _, _, address, device = line.split()
                adapters.append((address, device.removeprefix("0x"), {}))
            elif adapters and line.startswith("== "):
                _, what, status = line.split()
                adapters[-1][2][what] = (int(status), lines)
            else:
                lines.append(line)
                continue
            lines = []
        return [_adapter(address, device, answers) for address, device, answers in adapters]


_TOOLS = (("mstflint", "flint"), CONFIGURATORS)


class Configurator(FactBase[str]):
    """The tool that writes settings on this host, empty where there is none."""

    default = str

    @override
    def command(self) -> str:
        """Look for them in order."""
        return f"{' || '.join(f'command -v {tool}' for tool in CONFIGURATORS)} || true"

    @override
    def process(self, output: list[str]) -> str:
        """Take the name of the path."""
        return output[0].strip().rpartition("/")[2] if output else ""


def _adapter(address: str, device: str, answers: Mapping[str, tuple[int, list[str]]]) -> Adapter:
    if len(answers) < 2:
        return Adapter(address, device, error="neither mstconfig nor mlxconfig is installed")
    for tool, (status, lines) in answers.items():
        said = [line.strip() for line in lines if line.strip()]
        if status:
            return Adapter(address, device, error=f"{tool}: {said[-1] if said else 'no answer'} (exit status {status})")
    firmware, settings = firmware_of(answers["firmware"][1]), settings_of(answers["settings"][1])
    running = firmware.get("FW Version(Running)", "") or firmware.get("FW Version", "")
    flashed = firmware.get("FW Version", "")
    return Adapter(
        address,
        device,
        psid=firmware.get("PSID", ""),
        firmware=running,
        flashed=flashed if flashed != running else "",
        settings=settings,
        error="" if settings else "settings: no table of settings in the answer",
    )


def firmware_of(lines: list[str]) -> dict[str, str]:
    """Parse `FW Version:            28.42.1000`; lines that go on are of no use here."""
    rows = (line.partition(":") for line in lines if ":" in line and not line.startswith(" "))
    return {key.strip(): value.strip() for key, _, value in rows}


def settings_of(lines: list[str]) -> dict[str, Setting]:
    """Parse the table below `Configurations:`, whose columns are fewer where firmware cannot tell some of them."""
    columns: list[str] = []
    settings: dict[str, Setting] = {}
    for line in lines:
        if line.startswith("Configurations:"):
            titles = re.split(r"\s{2,}", line.partition(":")[2].strip())
            columns = [_COLUMNS[title] for title in titles if title in _COLUMNS]
        elif columns and (match := _NAME.match(line.rstrip())):
            values = _VALUE.findall(match["values"])
            if len(values) == len(columns):
                settings[match["name"]] = Setting(**dict(zip(columns, values, strict=True)))
    return settings
