"""What `iblinkinfo -l` says of ports that are not active.

Format: infiniband-diags/iblinkinfo.c of rdma-core, function print_port in line mode.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from gpufleet.fabric.discovered import Place
from gpufleet.fabric.ports import Port

#: Lines of ports that are up would be most of the output; the mark says that the program came to its end.
ENDED = "# iblinkinfo ended with "
_LINE = re.compile(r'0x([0-9a-f]{16}) ".*?"\s+\d+\s+(\d+)\[..\] ==\(.*?(\w+)/\s*(\w+)\)==>')
_UP = "Active/LinkUp"


def command(device: str) -> str:
    """Return the shell command that lists, from a device, every port that is not active."""
    return f"{{ iblinkinfo -l -C {device}; echo \"{ENDED}$?\"; }} | grep -v 'Active/ *LinkUp'"


def parse(lines: Iterable[str]) -> dict[tuple[int, int], str]:
    """Return the state of each port that is not active, by the GUID that iblinkinfo gives it and its number."""
    found = {}
    for line in lines:
        if match := _LINE.match(line):
            state = f"{match[3]}/{match[4]}"
            if state != _UP:
                found[int(match[1], 16), int(match[2])] = state
    return found


def named(
    states: Mapping[tuple[int, int], str], places: Mapping[int, set[Place]], names: Mapping[int, str]
) -> dict[Port, str]:
    """Return the states by the plan's names; a port that no discovered node has is left out."""
    found = {}
    for (guid, number), state in states.items():
        for node in {place.guid for place in places.get(guid, ())}:
            found[Port(names[node], number)] = state
    return found
