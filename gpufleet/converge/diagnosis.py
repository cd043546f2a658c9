"""From what pyinfra left behind to one text: which operation or fact failed on a host, how, and its last words."""

from __future__ import annotations

import re
import traceback
from pathlib import Path

from pyinfra.api.host import Host
from pyinfra.api.operation import OperationMeta
from pyinfra_cli.exceptions import UnexpectedExternalError

from gpufleet.converge import transport
from gpufleet.converge.messages import Place
from gpufleet.converge.state import FactFailedError

FACT = re.compile(r"^Error: could not (?:load|process) fact: (.+?)\s*$")
TIMEOUT = re.compile(r"^Command timed out after ([\d.]+)s$")
#: Lines that repeat what the error's first line says.
NOISE = re.compile(r"^(Error: |Error$|Error \(ignored|Traceback )")


def operation(place: Place, meta: OperationMeta, host: Host, log: transport.Diagnosis) -> str:
    """Why an operation failed."""
    lines = log.of(host)
    if match := _last(TIMEOUT, lines):
        return place.timed_out(float(match[1]))
    words = meta.stderr_lines if meta.is_complete() else []
    return place.operation_failed(_failure_status(host), words or _without_noise(lines))


def exception(place: Place, error: Exception, host: Host, log: transport.Diagnosis) -> str:
    """Why deploy code or an operation raised."""
    if isinstance(error, FactFailedError):
        lines = log.of(host)
        match = _last(FACT, lines)
        fact = f"fact `{match[1]}`" if match else "a fact"
        return place.fact_failed(fact, _failure_status(host), _without_noise(lines))
    return place.raised(describe(error))


def describe(error: Exception) -> str:
    """An exception in one line: its type, its text, and the line of deploy code it came from."""
    if isinstance(error, UnexpectedExternalError):
        error = error.exception
    text = f"{type(error).__name__}: {error}".strip().removesuffix(":")
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "site-packages" not in frame.filename]
    own = [frame for frame in frames if Path(frame.filename).parent != Path(__file__).parent]
    return f"{text} ({Path(own[-1].filename).name} line {own[-1].lineno})" if own else text


def _failure_status(host: Host) -> int | None:
    # 0 is that of an earlier command: what failed then was no command, an upload for instance.
    return transport.exit_status(host) or None


def _without_noise(lines: list[str]) -> list[str]:
    return [line for line in lines if not NOISE.match(line)]


def _last(pattern: re.Pattern[str], lines: list[str]) -> re.Match[str] | None:
    return next((match for line in reversed(lines) if (match := pattern.match(line))), None)
