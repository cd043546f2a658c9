"""A host with RDMA devices for the tests: folders for /sys, and a perftest that listens and connects as the real one.

What it prints is in files, and which of its sides fail is told by files too.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from gpufleet.facts.rdma_speed import RdmaSpeeds, SpeedReport
from tests.support import perftest_outputs as said

BW, LAT = "ib_write_bw", "ib_write_lat"
PERFTEST = f"""#!{sys.executable}
import socket, sys
from pathlib import Path
root, arguments = Path("ROOT"), sys.argv[1:]
tool = Path(sys.argv[0]).name
if arguments == ["--help"]:
    print("--report_gbits", "--use_cuda=<index>" if (root / "cuda").exists() else "")
    sys.exit(1)
with (root / "calls").open("a") as file:
    print(tool, *arguments, file=file)
device, port = arguments[arguments.index("-d") + 1], int(arguments[arguments.index("-p") + 1])
if arguments[-1] != "127.0.0.1":
    if (root / f"no server on {{device}}").exists():
        print((root / "NO_DEVICE").read_text())
        sys.exit(1)
    with socket.create_server(("0.0.0.0", port)) as server:
        print((root / "SERVER_WAITS").read_text())
        server.accept()[0].recv(1)
    sys.exit(0)
with socket.create_connection(("127.0.0.1", port)):
    is_lost = (root / f"no path from {{device}}").exists()
    print((root / ("NO_PATH" if is_lost else tool)).read_text())
    sys.exit(is_lost)
"""
IP = """#!/bin/sh
case "$*" in
"route show default") echo "default via 10.0.0.1 dev ens9 proto dhcp";;
*"dev ens1 "*|*"dev ens2 "*) echo "10.1.0.0/24 proto kernel scope link src 10.1.0.$$";;
*"dev ens3 "*) echo "10.3.0.0/24 proto kernel scope link src 10.3.0.1";;
esac
"""
#: How each tool is called.
OPTIONS = {BW: "-F --report_gbits -q 2 -s 65536 -D 3 -f 1", LAT: "-F -s 8 -n 10000"}


class PerftestHost:
    """Folders and programs in the place of a host's."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "bin").mkdir()
        (root / "sys/class/infiniband").mkdir(parents=True)
        (root / "sys/bus/pci/devices").mkdir(parents=True)
        texts = {BW: said.DURATION, LAT: said.LATENCY}
        for name in ("NO_DEVICE", "NO_PATH", "SERVER_WAITS"):
            texts[name] = getattr(said, name)
        for name, text in texts.items():
            (root / name).write_text(text)
        self.program(BW, PERFTEST)
        self.program(LAT, PERFTEST)
        self.program("ip", IP)
        self.program("taskset", '#!/bin/sh\nshift 2\nexec "$@"\n')

    def program(self, name: str, text: str) -> None:
        (self.root / "bin" / name).write_text(text.replace("ROOT", str(self.root)))
        (self.root / "bin" / name).chmod(0o755)

    def pci(self, path: str, vendor: str, device: str, kind: str) -> Path:
        folder = self.root / "sys/devices/pci0000:17" / path
        folder.mkdir(parents=True, exist_ok=True)
        texts = {"vendor": vendor, "device": device, "class": kind}
        for name, text in texts.items():
            (folder / name).write_text(f"0x{text}\n")
        (folder / "local_cpulist").write_text("0-3\n")
        (self.root / "sys/bus/pci/devices" / folder.name).symlink_to(folder)
        return folder

    def adapter(self, number: int, **changes: str) -> None:
        """mlx5_<number>, below a bridge of its own; `interface` makes it a RoCE port."""
        folder = self.pci(f"0000:1{number}:01.0/0000:2{number}:00.0", "15b3", "1021", "020700")
        place = self.root / f"sys/class/infiniband/mlx5_{number}"
        interface = changes.pop("interface", "")
        files = {
            "link_layer": "Ethernet" if interface else "InfiniBand",
            "state": "4: ACTIVE",
            "rate": "400 Gb/sec (4X NDR)",
            "gids/0": "fe80:0000:0000:0000:a088:c203:00ab:0001",
        }
        if interface:
            files |= roce(interface)
        for name, text in {**files, **changes}.items():
            (place / "ports/1" / name).parent.mkdir(parents=True, exist_ok=True)
            (place / "ports/1" / name).write_text(f"{text}\n")
        (place / "device").symlink_to(folder)

    def measure(self, **given: Any) -> SpeedReport:
        command = RdmaSpeeds().command(**{"limit": 60, **given})
        here = re.sub(r"(?<![\w}])/sys/", f"{self.root}/sys/", command)
        environment = {**os.environ, "PATH": f"{self.root}/bin:{os.environ['PATH']}"}
        done = subprocess.run(["sh", "-c", here], capture_output=True, text=True, check=False, env=environment)
        assert (done.returncode, done.stderr) == (0, "")
        return RdmaSpeeds().process(done.stdout.splitlines())

    @property
    def calls(self) -> list[str]:
        """What was called, without the port."""
        return [re.sub(r" -p \d+", "", line) for line in (self.root / "calls").read_text().splitlines()]


def roce(interface: str) -> dict[str, str]:
    """Files of a port with GIDs of both types; the one to use has index 3, and 10 comes after it."""
    v4 = "0000:0000:0000:0000:0000:ffff:0a01:0001"
    rows = [("IB/RoCE v1", "fe80::1", interface), ("RoCE v2", "fe80::1", interface), ("IB/RoCE v1", v4, interface)]
    rows += [("RoCE v2", v4, interface), ("RoCE v2", v4, "vlan7")]
    files: dict[str, str] = {}
    for number, (kind, gid, netdev) in zip((0, 1, 2, 3, 10), rows, strict=True):
        files |= {f"gid_attrs/types/{number}": kind, f"gids/{number}": gid, f"gid_attrs/ndevs/{number}": netdev}
    return files
