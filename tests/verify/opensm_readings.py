"""What the checks of the role `subnet_manager` ask a host, and how they read its answers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from gpufleet.facts.opensm import CONFIGURATION, LOGS, MARKS, PARTITIONS, OwnInstances, OwnTraces, PortGuids
from gpufleet.facts.packages import InstalledVersions
from gpufleet.facts.unit_files import OwnUnitFiles
from gpufleet.facts.units import UnitStates
from roles.subnet_manager.steps import PACKAGE, ROTATION, SHIPPED, TEMPLATE

#: State numbers of subnet managers, as SMInfo carries them.
MASTER = "3"
_COMPLAINTS = "PARSE ERROR|Parsing error|Unrecognized token|Invalid option"
#: Prints the device and port of an instance that is named by its GUID.
_BY_GUID = (
    """ibstat 2>/dev/null | awk -v g="$i" '/^CA/ {gsub(/\\047/, "", $2); d = $2} """
    """/^[ \\t]*Port [0-9]+:/ {p = $2; sub(/:/, "", p)} /Port GUID:/ && $3 == g {print d "-" p}'"""
)
#: The fabric's records of managers are as old as its last heavy sweep, so each manager is asked itself.
_STATE = r"s/.*sm guid \(0x[0-9a-f]*\),.*priority \([0-9]*\) state \([0-9]\).*/Manager=\1 \2 \3/p"
#: What every instance says of itself, and the fabric of it.
MANAGERS = f"""\
for f in {CONFIGURATION}/*.opts; do
  [ -e "$f" ] || continue
  i=${{f##*/}}; i=${{i%.opts}}; u=gpufleet-opensm@$i.service
  case $i in 0x*) w=$({_BY_GUID});; *) w=$i;; esac
  echo "instance $i"
  systemctl show --property=ActiveState,UnitFileState,MainPID,InvocationID "$u"
  [ ! {PARTITIONS} -nt "{MARKS}/$i" ] || echo "Unread=yes"
  echo "Own=$(sminfo -C "${{w%-*}}" -P "${{w##*-}}" -D 0 2>&1 | tail -n 1)"
  echo "Keys=$(smpquery -C "${{w%-*}}" -P "${{w##*-}}" -D pkeys 0 2>/dev/null | grep -o '0x[0-9a-f]*' | tr '\\n' ' ')"
  for l in $(saquery -C "${{w%-*}}" -P "${{w##*-}}" SMIR 2>/dev/null | awk -F '[.]+' '/LID/ {{print $2}}'); do
    sminfo -C "${{w%-*}}" -P "${{w##*-}}" "$l" 2>/dev/null | sed -n '{_STATE}'
  done
  id=$(systemctl show --property=InvocationID --value "$u")
  journalctl -q -o cat --since "@$(stat -c %Y "{MARKS}/$i" 2>/dev/null || echo 0)" "_SYSTEMD_INVOCATION_ID=$id" \
    2>/dev/null | grep -E '{_COMPLAINTS}' | sed 's/^ */Complaint=/'
  pid=$(systemctl show --property=MainPID --value "$u")
  find "/proc/$pid/fd" -lname '{LOGS}/*' -printf 'Log=%l\\n' 2>/dev/null
done; true"""
PROBE = {
    "managers": MANAGERS,
    "guids": PortGuids().command(),
    "options": f"for f in {CONFIGURATION}/*.opts; do [ ! -e $f ] || {{ echo == $f; cat $f; }}; done; true",
    "partitions": f"cat {PARTITIONS} 2>/dev/null; true",
    "rotation": f"cat /{ROTATION} 2>/dev/null; true",
    "rotation's faults": f"logrotate --debug /{ROTATION} 2>&1 | grep '^error'; true",
    "rotation's time": "systemctl is-active logrotate.timer || ls /etc/cron.daily/logrotate; true",
    "shipped": UnitStates().command(units=SHIPPED),
    "packages": InstalledVersions().command(packages=[PACKAGE]),
    "instances": OwnInstances().command(),
    "traces": OwnTraces().command(),
    "unit": OwnUnitFiles().command(unit=TEMPLATE),
}
_OWN = re.compile(r"sm guid (0x[0-9a-f]+), activity count \d+ priority (\d+) state \d SMINFO_(\w+)")


@dataclass(frozen=True)
class Manager:
    """What one instance said, and its fabric."""

    unit: dict[str, str] = field(default_factory=dict)
    #: GUID, priority and state number of every subnet manager that the fabric knows.
    others: tuple[tuple[str, str, str], ...] = ()
    complaints: tuple[str, ...] = ()
    logs: tuple[str, ...] = ()

    @property
    def state(self) -> str:
        """`active and enabled`, and the like."""
        return f"{self.unit.get('ActiveState', 'inactive')} and {self.unit.get('UnitFileState') or 'disabled'}"

    @property
    def own(self) -> tuple[str, str]:
        """Priority and state of its port's subnet manager as the port itself answers."""
        match = _OWN.search(self.unit.get("Own", ""))
        return (match[2], match[3]) if match else ("none", self.unit.get("Own") or "no answer")

    @property
    def keys(self) -> list[int]:
        """Keys in its port's table, without the bit of membership."""
        return sorted({int(key, 16) & 0x7FFF for key in self.unit.get("Keys", "").split()} - {0})

    @property
    def masters(self) -> list[str]:
        """GUIDs of the masters that the fabric knows."""
        return sorted(guid for guid, _, state in self.others if state == MASTER)


def managers(lines: Sequence[str]) -> dict[str, Manager]:
    """Parse the answers of all instances, by name."""
    blocks: dict[str, list[tuple[str, str]]] = {}
    name = ""
    for line in lines:
        if line.startswith("instance "):
            name = line.removeprefix("instance ")
            blocks[name] = []
        elif name and "=" in line:
            blocks[name].append(line.partition("=")[::2])
    return {name: _manager(rows) for name, rows in blocks.items()}


def _manager(rows: Sequence[tuple[str, str]]) -> Manager:
    others = [tuple(value.split()) for key, value in rows if key == "Manager"]
    return Manager(
        unit=dict(rows),
        others=tuple((row[0], row[1], row[2]) for row in others if len(row) == 3),
        complaints=tuple(dict.fromkeys(value for key, value in rows if key == "Complaint")),
        logs=tuple(value for key, value in rows if key == "Log"),
    )


def files(lines: Sequence[str]) -> dict[str, str]:
    """Parse files, each after a line `== PATH`."""
    found: dict[str, str] = {}
    path = ""
    for line in lines:
        if line.startswith("== "):
            path = line.removeprefix("== ")
            found[path] = ""
        else:
            found[path] += f"{line}\n"
    return found


def differing(expected: str, lines: Sequence[str]) -> str:
    """Say which lines of a file are missing and which do not belong, nothing where it is as expected."""
    wanted, found = [line.strip() for line in expected.splitlines()], [line.strip() for line in lines]
    said = [f"no {line!r}" for line in wanted if line not in found]
    said += [repr(line) for line in found if line not in wanted]
    return ", ".join(said) or ("another order" if wanted != found else "")
