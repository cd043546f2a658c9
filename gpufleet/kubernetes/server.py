"""What an API server says to a host, and whether a node of this kind may join it. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from gpufleet.errors import HostError


@dataclass(frozen=True)
class Answer:
    """The answer to `GET /version`: empty where nobody answered."""

    #: Status of the answer, 0 for none.
    status: int = 0
    #: Version such as `1.36.3`; empty where it is not told to this host.
    version: str = ""
    #: Seconds by which the host's clock is ahead of the server's; None where it did not say.
    ahead: int | None = None


def read(lines: Sequence[str]) -> Answer:
    """Read the host's time in Unix seconds, and behind it an answer of HTTP; a clock counts in whole seconds."""
    text = "\n".join(line.rstrip("\r") for line in lines)
    status = re.search(r"^HTTP/1\.[01] (\d{3})", text, re.MULTILINE)
    if status is None:
        return Answer()
    date = re.search(r"^Date: (.+)$", text, re.MULTILINE | re.IGNORECASE)
    now = next((int(line) for line in lines if line.strip().isdigit()), None)
    there = _seconds(date[1]) if date else None
    ahead = now - there if now is not None and there is not None else None
    return Answer(int(status[1]), _version(text), ahead)


def _seconds(date: str) -> int | None:
    try:
        return int(parsedate_to_datetime(date).timestamp())
    except ValueError:
        return None


def _version(text: str) -> str:
    body = re.search(r"^\{.*", text, re.MULTILINE | re.DOTALL)
    try:
        said = str(json.loads(body[0])["gitVersion"]) if body else ""
    except (ValueError, KeyError, TypeError):
        return ""
    match = re.match(r"v(\d+\.\d+\.\d+)", said)
    return match[1] if match else ""


def objections(where: str, endpoint: str, answer: Answer, tolerance: int) -> Iterator[HostError]:
    """Yield why a host cannot join: nobody answers, or the clocks are further apart than certificates bear.

    + where: the host
    + endpoint: host and port of the API server
    + answer: what it said to this host
    + tolerance: seconds that the clocks may be apart
    """
    if not answer.status:
        yield HostError(
            f"{where}: kubelet.api_server",
            expected=f"an API server at {endpoint} that answers this host",
            found="no answer",
            cure="see that it runs, that the address is right, and that nothing between them filters",
        )
    if answer.ahead is not None and abs(answer.ahead) > tolerance:
        side = "ahead of" if answer.ahead > 0 else "behind"
        yield HostError(
            f"{where}: clock",
            expected=f"the API server's time, give or take {tolerance} s",
            found=f"a clock {abs(answer.ahead)} s {side} it",
            cure="see that the host's chrony runs and reaches its servers (`chronyc sources`)",
        )


def version_unknown(where: str, endpoint: str, answer: Answer) -> HostError:
    """Say that the API server did not tell this host its version, which decides what kubelet may work beside it.

    + where: the host
    + endpoint: host and port of the API server
    + answer: what it said to this host
    """
    return HostError(
        f"{where}: kubelet.api_server_version",
        expected=f"the version of the API server at {endpoint}, which decides what kubelet may work beside it",
        found=f"an answer without it (HTTP status {answer.status})" if answer.status else "no answer",
        cure="set `api_server_version`, to what `kubectl version` says of the server",
    )
