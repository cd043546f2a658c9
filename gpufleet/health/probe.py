"""One POSIX shell script per host that runs every section, and the parser of its output.

A section's output may hold anything, so it travels as base64: one line `TOKEN NUMBER PAYLOAD` for each section, where
the payload is standard output, a newline, and base64 of (standard error, a newline, the exit status). The token differs
from run to run, so that a login banner or a noisy shell profile is never taken for an answer. The host's disks are not
written to: a full one can be probed.

A section ends when everything that it started has closed its output. A process that cannot be ended, such as one in
state D that waits for a GPU, would never do so. So each section has a reader of its own which a second `timeout` ends
with all of its processes; the line then has a fourth word, the status of that end. The script's own output is in no
section's hands, and the script itself waits for nothing else.
"""

from __future__ import annotations

import base64
import binascii
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from gpufleet.health.outcomes import CheckError
from gpufleet.nearest import did_you_mean

#: Seconds after which a section is ended on the host, unless its module sets PROBE_TIMEOUT.
SECTION_SECONDS = 20

#: Seconds between asking a section to end and killing it.
GRACE_SECONDS = 5

#: Linux refuses a single argument of 128 KiB; sudo and ssh each quote the script once more.
SCRIPT_LIMIT = 60_000

#: Seconds after the last signal to a section in which its reader may come to its end.
_READER_SECONDS = 1

#: Exit statuses of `timeout` for a command that it ended.
_ENDED = frozenset({124, 137})

_HELD = "its output held open by a process that it left; look for one in state D on the host"

_PREAMBLE = """\
LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH
reader='{
  errors=$({
    timeout -v -k "$1" "$2" /bin/sh -c "$3" </dev/null 2>&1 >&3 3>&-
    printf "\\n%s" "$?"
  } | base64 -w 0)
  printf "\\n%s" "$errors"
} 3>&1 | base64 -w 0'
section() {
  printf '%s %s ' "$token" "$1"
  timeout -k "$grace" "$(($2 + grace + more))" /bin/sh -c "$reader" reader "$grace" "$2" "$3" || printf ' %s' "$?"
  echo
}
"""


@dataclass(frozen=True)
class Request:
    """One section to run on the host: a shell command and the seconds it may take."""

    command: str
    seconds: int = SECTION_SECONDS


@dataclass(frozen=True)
class Section:
    """What one section of the probe answered."""

    name: str
    #: Standard output without trailing newlines, as `$(...)` in a shell gives it.
    text: str
    #: Exit status of the command.
    rc: int
    #: Standard error without trailing newlines.
    errors: str = ""
    #: Seconds that it was allowed to take.
    seconds: int = field(default=SECTION_SECONDS, compare=False)
    #: Something that it started kept its output open until the answer was given up.
    held: bool = False

    @property
    def lines(self) -> list[str]:
        """Lines of the text; none when it is empty."""
        return self.text.split("\n") if self.text else []

    @property
    def timed_out(self) -> bool:
        """Whether the command was ended because it took too long."""
        return self.held or (self.rc in _ENDED and "timeout: sending signal" in self.errors)


class Probe:
    """The sections one check module asked for, by the names it gave them: `probe["swaps"].lines`."""

    def __init__(self, sections: Mapping[str, Section], seconds: int | None = None) -> None:
        self._sections, self._seconds = dict(sections), seconds

    def __getitem__(self, name: str) -> Section:
        """Return a section; a check that needs one which did not finish could not run, and is an error."""
        if name not in self._sections:
            cure = did_you_mean(name, self._sections, "sections")
            raise CheckError(f"probe section {name}: expected a name in PROBE; {cure}")
        section = self._sections[name]
        if section.timed_out:
            expected = f"expected an answer within {self._seconds or section.seconds} s, found"
            raise CheckError(f"probe section {name}: {expected} {_HELD if section.held else 'none'}")
        return section

    def __iter__(self) -> Iterator[str]:
        return iter(self._sections)


def script(requests: Mapping[str, Request], token: str) -> str:
    """Return the script that runs every section in turn and prints one line for each, then an end line."""
    calls = [f"section {n} {r.seconds} {shlex.quote(r.command)}" for n, r in enumerate(requests.values())]
    head = f"token={token} grace={GRACE_SECONDS} more={_READER_SECONDS}\n{_PREAMBLE}"
    return "\n".join([f'{head}echo "$token user $(id -u)"', *calls, 'echo "$token end"'])


def longest(request: Request) -> int:
    """Return the seconds after which the script has gone on from a section, whatever its processes do."""
    return request.seconds + 2 * GRACE_SECONDS + _READER_SECONDS


def parse(output: str, requests: Mapping[str, Request], token: str) -> dict[str, Section]:
    """Return the sections by name; raises CheckError when the script did not run to its end as root."""
    answers = [line.split(" ") for line in output.split("\n") if line.startswith(f"{token} ")]
    if not answers:
        raise CheckError("expected the probe's answer, found none", whole_host=True)
    if answers[0][1:] != ["user", "0"]:
        cure = "set _sudo = True in the group data"
        raise CheckError(f"expected the probe to run as root, found user {answers[0][-1]}; {cure}", whole_host=True)
    payloads = [answer[2:] for answer in answers[1:-1] if len(answer) in {3, 4}]
    if answers[-1][1:] != ["end"] or len(payloads) != len(requests):
        found = f"{len(payloads)} of {len(requests)}"
        raise CheckError(f"expected every section of the probe, found {found}: the script was ended", whole_host=True)
    sections = {name: decode(name, *payload) for name, payload in zip(requests, payloads, strict=True)}
    return {name: replace(section, seconds=requests[name].seconds) for name, section in sections.items()}


def decode(name: str, payload: str, status: str = "0") -> Section:
    """Return the section that a payload carries; raises CheckError when it was cut short.

    The status is that of the reader; what it had read when it was ended is not kept.
    """
    if status in map(str, _ENDED):
        return Section(name, "", int(status), held=True)
    if status != "0":
        payload = ""
    try:
        output, _, tail = base64.b64decode(payload, validate=True).rpartition(b"\n")
        errors, _, rc = base64.b64decode(tail, validate=True).rpartition(b"\n")
        return Section(name, _text(output), int(rc), _text(errors))
    except (binascii.Error, ValueError):
        raise CheckError(f"probe section {name}: expected a whole answer, found a damaged one") from None


def _text(raw: bytes) -> str:
    """Return text without trailing newlines; bytes that are no UTF-8 survive as surrogates."""
    return raw.decode("utf-8", "surrogateescape").rstrip("\n")
