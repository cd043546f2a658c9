"""nvidia-smi's command line over the emulated GPUs, with NVIDIA's texts and exit statuses."""

from __future__ import annotations

import re
import sys
from typing import NamedTuple

from . import driver, report
from .fields import ALIASES, FIELDS, REMAPPED, Field
from .gpus import Gpu, installed

_INVALID, _NO_PERMISSION, _NOT_FOUND, _UNKNOWN = 2, 4, 6, 255
_VALUED = ("-i", "--id", "-pm", "--persistence-mode", "-f", "--filename", "-d", "--display")


class Refused(Exception):  # noqa: N818 - said as nvidia-smi says it, and no fault of ours
    """A request that nvidia-smi turns down."""

    def __init__(self, message: str, status: int = _INVALID) -> None:
        super().__init__(message)
        self.status = status


class Request(NamedTuple):
    """The command line, taken apart."""

    switches: set[str]
    values: dict[str, str]


def parse(arguments: list[str]) -> Request:
    """Take `-i 0`, `--id=0` and `-L` apart."""
    switches: set[str] = set()
    values: dict[str, str] = {}
    rest = iter(arguments)
    for word in rest:
        name, equals, value = word.partition("=")
        if equals:
            values[name] = value
        elif word in _VALUED:
            values[word] = next(rest, "")
        else:
            switches.add(word)
    return Request(switches, values)


def chosen(request: Request) -> list[Gpu]:
    """The GPUs that `-i` names by index, UUID or address; all without it."""
    gpus, wanted = installed(), request.values.get("-i", request.values.get("--id"))
    if wanted is None:
        return gpus
    found = []
    for one in wanted.split(","):
        matches = [gpu for gpu in gpus if one.upper() in (str(gpu.minor), gpu.uuid.upper(), gpu.bus_id, gpu.bus_id[4:])]
        if not matches:
            raise Refused("No devices were found", _NOT_FOUND)
        found += matches
    return found


def _present(gpus: list[Gpu]) -> list[Gpu]:
    """The GPUs that still answer; a lost one ends every answer but the list."""
    if not gpus:
        raise Refused("No devices were found", _NOT_FOUND)
    for gpu in gpus:
        if gpu.lost:
            raise Refused(_lost(gpu), _UNKNOWN)
    return gpus


def _lost(gpu: Gpu) -> str:
    return f"Unable to determine the device handle for GPU{gpu.address.upper()}: Unknown Error"


def list_gpus(gpus: list[Gpu]) -> tuple[str, int]:
    """`-L`: a line for each GPU, the lost ones with the error."""
    lines = [_lost(gpu) if gpu.lost else f"GPU {gpu.minor}: {gpu.name} (UUID: {gpu.uuid})" for gpu in gpus]
    return "\n".join(lines or ["No devices found."]), _UNKNOWN if any(gpu.lost for gpu in gpus) else 0


def query(names: str, formats: str, known: dict[str, Field], gpus: list[Gpu]) -> str:
    """`--query-gpu=index,name --format=csv`: a table of comma-separated values."""
    options = formats.split(",")
    if "csv" not in options:
        raise Refused("\"--format=\" switch is missing. Please run 'nvidia-smi -h' for help.")
    wanted = [name.strip() for name in names.split(",")]
    for name in wanted:
        if ALIASES.get(name, name) not in known and name not in known:
            raise Refused(f'Field "{name}" is not a valid field to query.\n')
    columns = [(name, *known.get(name, known.get(ALIASES.get(name, name), ("", str)))) for name in wanted]
    header = ", ".join(f"{name} [{unit}]" if unit else name for name, unit, _ in columns)
    rows = [", ".join(_value(value(gpu), unit, options) for _, unit, value in columns) for gpu in _present(gpus)]
    return "\n".join(rows if "noheader" in options else [header, *rows])


def _value(value: str, unit: str, options: list[str]) -> str:
    return f"{value} {unit}" if unit and "nounits" not in options and value != "[N/A]" else value


def _set_persistence(mode: str, gpus: list[Gpu]) -> str:
    if mode.upper() not in ("0", "1", "ENABLED", "DISABLED"):
        raise Refused(f'Invalid combination of input arguments. "{mode}" is not a valid persistence mode.')
    on = mode.upper() in ("1", "ENABLED")
    word = "Enabled" if on else "Disabled"
    same = driver.persistence() == on
    try:
        driver.set_persistence(on)
    except PermissionError:
        raise Refused(f"Unable to set persistence mode for GPU {gpus[0].bus_id}: Insufficient Permissions\n"
                      "Terminating early due to previous errors.", _NO_PERMISSION) from None  # fmt: skip
    lines = [f"Persistence mode is already {word} for GPU {gpu.bus_id}." if same
             else f"{word} persistence mode for GPU {gpu.bus_id}." for gpu in gpus]  # fmt: skip
    return "\n".join([*lines, "All done."])


def answer(request: Request) -> tuple[str, int]:
    """The text and exit status for one request to a driver that answers."""
    version, gpus, values = driver.version(), chosen(request), request.values
    for name in ("-pm", "--persistence-mode"):
        if name in values:
            return _set_persistence(values[name], _present(gpus)), 0
    if any(name.startswith("--query-") for name in values):
        return _queried(values, gpus), 0
    if request.switches & {"-L", "--list-gpus"}:
        return list_gpus(gpus)
    return _report(request, version, gpus), 0


def _queried(values: dict[str, str], gpus: list[Gpu]) -> str:
    formats = values.get("--format", "")
    for name, known in (("--query-gpu", FIELDS), ("--query-remapped-rows", REMAPPED)):
        if name in values:
            return query(values[name], formats, known, gpus)
    columns = next(value for name, value in values.items() if name.startswith("--query-"))
    return "" if "noheader" in formats else columns.replace(",", ", ")


def _report(request: Request, version: str, gpus: list[Gpu]) -> str:
    if unknown := request.switches - {"-q", "--query", "-x", "--xml-format"}:
        raise Refused(f"Invalid combination of input arguments. Please run 'nvidia-smi -h' for help.\n{min(unknown)}")
    if request.switches & {"-x", "--xml-format"}:
        return report.xml(version, _present(gpus))
    if request.switches & {"-q", "--query"}:
        return report.text(version, _present(gpus))
    return report.table(version, _present(gpus))


def main(arguments: list[str]) -> int:
    """Answer one command line."""
    if re.fullmatch(r"-h|--help", " ".join(arguments)):
        print("NVIDIA System Management Interface, emulated by the lab: see gpufleet/lab/README.md")  # noqa: T201 - a program
        return 0
    try:
        output, status = answer(parse(arguments))
    except (driver.DriverError, Refused) as error:
        print(error)  # noqa: T201 - a program
        return error.status
    sys.stdout.write(f"{output}\n" if output else "")
    return status
