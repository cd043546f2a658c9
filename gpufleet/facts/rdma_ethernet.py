"""RDMA over Ethernet: ports with their GIDs, and the quality of service that is in force on them."""

from __future__ import annotations

import re
import shlex
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from pyinfra.api.facts import FactBase
from typing_extensions import override

from gpufleet.network.roce import ROCE_V2, PortQos, RocePort, is_ipv4

_PORTS = "/sys/class/infiniband/*/ports/*"
_PORT_FILE = re.compile(r"/sys/class/infiniband/([^/]+)/ports/(\d+)/([^:]+):(.*)")
_PAIR = re.compile(r"(\d+):(\w+)")
_BY_PRIORITY = re.compile(r"prio:(\d) dscp:([\d,]*)")

#: What the drivers show, the vendor's and the kernel's: of interface `i`, device `d`, port `n`, PCI function `p`.
_QOS_FILES = (
    "/sys/class/net/$i/mtu",
    "/sys/class/net/$i/ecn/roce_np/cnp_dscp",
    "/sys/class/net/$i/ecn/roce_np/cnp_802p_prio",
    "/sys/kernel/debug/mlx5/${p##*/}/cc_params/np_cnp_dscp",
    "/sys/kernel/debug/mlx5/${p##*/}/cc_params/np_cnp_prio",
    "/sys/class/infiniband/$d/tc/$n/traffic_class",
    "/sys/kernel/config/rdma_cm/$d/ports/$n/default_roce_tos",
)


class RocePorts(FactBase[list[RocePort]]):
    """Ports whose link layer is Ethernet, with the indexes of their IPv4 GIDs for RoCE v2."""

    default = list

    @override
    def command(self) -> str:
        """Read everything by one grep: a port has up to 256 GIDs; those that are empty cannot be read."""
        files = " ".join(
            f"{_PORTS}/{name}" for name in ("link_layer", "gid_attrs/types/*", "gid_attrs/ndevs/*", "gids/*")
        )
        return f"grep -sH '' {files}; true"

    @override
    def process(self, output: list[str]) -> list[RocePort]:
        """Parse `/sys/class/infiniband/mlx5_0/ports/1/gid_attrs/types/3:RoCE v2`."""
        values: dict[tuple[str, int], dict[str, str]] = defaultdict(dict)
        for match in filter(None, map(_PORT_FILE.match, output)):
            values[match[1], int(match[2])][match[3]] = match[4].strip()
        ethernet = {port: files for port, files in values.items() if files.get("link_layer") == "Ethernet"}
        return sorted(_port(device, number, files) for (device, number), files in ethernet.items())


def _port(device: str, number: int, files: Mapping[str, str]) -> RocePort:
    interface = files.get("gid_attrs/ndevs/0", "")
    indexes = [int(name.rpartition("/")[2]) for name, kind in files.items() if kind == ROCE_V2]
    gids = [
        index
        for index in sorted(indexes)
        if is_ipv4(files.get(f"gids/{index}", "")) and files.get(f"gid_attrs/ndevs/{index}") == interface
    ]
    return RocePort(device, number, interface, tuple(gids))


class PortsQos(FactBase[dict[str, PortQos]]):
    """Quality of service of these ports, by interface; `dcb` of iproute2 is asked, else NVIDIA's `mlnx_qos`."""

    default = dict

    @override
    def command(self, ports: Sequence[tuple[str, str, int]]) -> str:
        """Ask about each interface with its device and port."""
        lines = shlex.join(f"{interface} {device} {number}" for interface, device, number in ports)
        return self.each(f"printf '%s\\n' {lines}")

    def each(self, triples: str) -> str:
        """Return the command for the lines `INTERFACE DEVICE PORT` that another command prints."""
        files = " ".join(f'"{path}"' for path in _QOS_FILES)
        return (
            f'{{ {triples}; }} | while read -r i d n; do echo "interface $i"; '
            'if command -v dcb >/dev/null; then dcb pfc show dev "$i" prio-pfc; dcb -N app show dev "$i" dscp-prio; '
            'elif command -v mlnx_qos >/dev/null; then mlnx_qos -i "$i"; fi 2>/dev/null; '
            'p=$(readlink -f "/sys/class/net/$i/device"); '
            f'grep -sH "" {files} "/sys/class/net/$i"/ecn/roce_[nr]p/enable/*; done; true'
        )

    @override
    def process(self, output: list[str]) -> dict[str, PortQos]:
        """Parse the answers of each interface after the line that names it."""
        answers: dict[str, list[str]] = {}
        for line in output:
            word, _, name = line.strip().partition(" ")
            if word == "interface":
                answers[name] = []
            elif answers:
                answers[next(reversed(answers))].append(line.strip())
        return {interface: _qos(lines) for interface, lines in answers.items()}


def _qos(lines: Sequence[str]) -> PortQos:
    files = {path: text for path, _, text in (line.rpartition(":") for line in lines) if path.startswith("/sys/")}
    numbers = {path.rpartition("/")[2]: _number(text) for path, text in files.items()}
    return PortQos(
        pfc=_pfc(lines),
        priorities=_priorities(lines),
        ecn={node: enabled for node in ("np", "rp") if (enabled := _enabled(files, node)) is not None},
        cnp_dscp=_first(numbers, "cnp_dscp", "np_cnp_dscp"),
        cnp_priority=_first(numbers, "cnp_802p_prio", "np_cnp_prio"),
        traffic_class=_first(numbers, "traffic_class"),
        tos=_first(numbers, "default_roce_tos"),
        mtu=_first(numbers, "mtu"),
    )


def _pfc(lines: Iterable[str]) -> tuple[int, ...] | None:
    """Read dcb's `prio-pfc 0:off 3:on` or mlnx_qos's `enabled 0 0 0 1`."""
    for line in lines:
        if line.startswith("prio-pfc"):
            return tuple(int(priority) for priority, state in _PAIR.findall(line) if state == "on")
        if line.startswith("enabled"):
            return tuple(number for number, state in enumerate(line.split()[1:]) if state == "1")
    return None


def _priorities(lines: Sequence[str]) -> tuple[tuple[int, int], ...] | None:
    """Read dcb's `dscp-prio 26:3 48:6`, no line of which is an empty table, or mlnx_qos's `prio:3 dscp:26,25,`."""
    if any(line.startswith("prio-pfc") for line in lines):
        pairs = [pair for line in lines if line.startswith("dscp-prio") for pair in _PAIR.findall(line)]
        return tuple(sorted((int(dscp), int(priority)) for dscp, priority in pairs))
    if any(line.startswith("Priority trust state: pcp") for line in lines):
        return ()
    groups = [match for line in lines if (match := _BY_PRIORITY.match(line))]
    return tuple(sorted((int(dscp), int(m[1])) for m in groups for dscp in m[2].split(",") if dscp)) or None


def _enabled(files: Mapping[str, str], node: str) -> tuple[int, ...] | None:
    found = {path: text for path, text in files.items() if f"/ecn/roce_{node}/enable/" in path}
    return tuple(sorted(int(path[-1]) for path, text in found.items() if text.strip() == "1")) if found else None


def _first(numbers: Mapping[str, int | None], *names: str) -> int | None:
    return next((numbers[name] for name in names if numbers.get(name) is not None), None)


def _number(text: str) -> int | None:
    """Read `106`, and `Global tclass=106` as the vendor's driver says it."""
    match = re.search(r"(\d+)\s*$", text)
    return int(match[1]) if match else None


class UnitInstances(FactBase[list[str]]):
    """Instances of a template unit that start by themselves: full names."""

    default = list

    @override
    def command(self, template: str) -> str:
        """Look for their links; `template` ends with `@`."""
        return f"ls -d /etc/systemd/system/*.wants/{shlex.quote(template)}*.service 2>/dev/null; true"

    @override
    def process(self, output: list[str]) -> list[str]:
        """Take the names of the links."""
        return sorted({line.strip().rpartition("/")[2] for line in output if line.strip()})
