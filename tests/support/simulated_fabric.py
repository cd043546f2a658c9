"""The fabric of a lab in tests: its plan, and what real diagnostics say of it, not read by the product's readers."""

from __future__ import annotations

import re

from gpufleet.fabric.ports import Cable, Port
from gpufleet.lab import waiting
from gpufleet.lab.hosts import LabHost
from tests.support.fabrics import Fabric, two_tier

SPEED, LANE, RATE = "HDR", "53.125", 200
#: Two rails of two leaves with four hosts each, and every leaf with two cables to each of two spines.
TWO_TIER: Fabric = two_tier(8, 2, down=4, up=4, radix=8)
PLAN = "".join(TWO_TIER.plan()).replace("speed: NDR", f"speed: {SPEED}")

#: A cable by both its ends, and what its link does: `4xHDR`.
Seen = tuple[frozenset[Port], str]

_NODE = re.compile(r'(?:Switch|Ca)\s+\d+ "\S+"\s+# "([^"]+)"')
_END = re.compile(r'\[(\d+)\](?:\(\w+\))?\s+"\S+"\[(\d+)\].*"([^"]+)" lid \d+ (\S+)$')
_LINE = re.compile(r'0x\w+ "\s*([^"]+)"\s+\d+\s+(\d+)\[..\] ==\(\s*(.+?)\)==>\s+0x\w+\s+\d+\s+(\d+)\[..\] "\s*([^"]+)"')


def cables(planned: list[Cable], what: str) -> list[Seen]:
    """The planned cables, each seen from both its ends."""
    return sorted_seen([(frozenset((cable.a, cable.b)), what) for cable in planned for _ in "ab"])


def sorted_seen(rows: list[Seen]) -> list[Seen]:
    return sorted(rows, key=lambda row: (sorted(row[0]), row[1]))


def discovered(text: str) -> list[Seen]:
    """What ibnetdiscover prints: every cable from both its ends."""
    rows, node = [], ""
    for line in text.splitlines():
        if head := _NODE.match(line):
            node = head[1]
        elif end := _END.match(line):
            rows.append((frozenset((Port(node, int(end[1])), Port(end[3], int(end[2])))), end[4]))
    return sorted_seen(rows)


def linked(text: str) -> list[Seen]:
    """What `iblinkinfo -l` prints of ports with a cable, with width, speed of a lane and state."""
    matches = filter(None, map(_LINE.match, text.splitlines()))
    return sorted_seen(
        [
            (frozenset((Port(row[1], int(row[2])), Port(row[5], int(row[4])))), re.sub(r"\s+", " ", row[3]))
            for row in matches
        ]
    )


def devices(text: str) -> dict[str, tuple[str, str, str]]:
    """What ibstat prints: state, physical state and rate of the port of each device."""
    found = {}
    for part in text.split("CA '")[1:]:
        said = dict(line.strip().split(": ", 1) for line in part.splitlines() if ": " in line)
        found[part.partition("'")[0]] = (said["State"], said["Physical state"], said["Rate"])
    return found


def until(host: LabHost, command: str, expected: str, seconds: float = 120) -> None:
    """Wait until a command prints something."""

    def seen() -> tuple[bool, str]:
        result = host.execute(command, check=False)
        return expected in result.stdout, result.stdout + result.stderr

    waiting.until(host.container, f"{expected} of {command}", seen, seconds)


def until_settled(host: LabHost, seconds: float = 120) -> None:
    """Wait until the subnet manager has brought every link up that is there."""
    until(host, "iblinkinfo -l >/tmp/links && ! grep -E '(Init|Armed)/' /tmp/links && echo settled", "settled", seconds)


def until_master(host: LabHost) -> None:
    """Wait until the subnet manager of a host answers as master."""
    until(host, "sminfo -C mlx5_0 -P 1 -D 0", "SMINFO_MASTER")
