"""NVIDIA's devices as the driver lists them, as CDI specifications name them, and as /dev/char links to them."""

from __future__ import annotations

import posixpath
import re

from pyinfra.api.facts import FactBase
from typing_extensions import override

from gpufleet.containers.gpu_devices import DIRECTORIES, KIND, Devices, Links, Specification

#: Seconds that nvidia-smi may take.
TIMEOUT = 30
_UUID = re.compile(r"\(UUID: (?P<name>[^)]+)\)")
#: Nodes that no container is given: nvidia-ctk links none of them (1.20, create-dev-char-symlinks).
_LEFT_OUT = "*/nvidia-fs*|*/nvidia-nvswitch*|*/nvidia-nvlink*"


class GpuDevices(FactBase[Devices]):
    """The loaded driver, and the GPUs and MIG devices that it lists; none while it does not answer."""

    default = Devices

    @override
    def command(self) -> str:
        """Ask nvidia-smi for the list, and for the GPUs that are cut up."""
        smi = f"timeout {TIMEOUT} nvidia-smi"
        return (
            "sed 's/^/driver /' /sys/module/nvidia/version 2>/dev/null; "
            f"{smi} -L 2>/dev/null; {smi} --query-gpu=uuid,mig.mode.current --format=csv,noheader 2>/dev/null; true"
        )

    @override
    def process(self, output: list[str]) -> Devices:
        """Parse `GPU 0: NVIDIA H100 (UUID: GPU-...)`, `  MIG 1g.10gb Device 0: (UUID: MIG-...)`, `GPU-..., Enabled`.

        A GPU in MIG mode is given in parts alone.
        """
        names = [match["name"] for line in output if (match := _UUID.search(line))]
        cut_up = {line.partition(",")[0].strip() for line in output if line.strip().endswith(", Enabled")}
        loaded = [line.split()[1] for line in output if line.startswith("driver ")]
        return Devices(loaded[0] if loaded else "", tuple(name for name in names if name not in cut_up))


class GpuSpecifications(FactBase[dict[str, Specification]]):
    """CDI specifications of NVIDIA's GPUs, by their paths."""

    default = dict

    @override
    def command(self) -> str:
        """Print each after its path."""
        kind = KIND.replace(".", "[.]")
        folders = " ".join(f"{folder}/*" for folder in DIRECTORIES)
        search = f'grep -lsE \'^ *"?kind"?: *"?{kind}"?,?$\' {folders}'
        return f'for f in $({search}); do echo "== $f"; cat "$f"; done; true'

    @override
    def process(self, output: list[str]) -> dict[str, Specification]:
        """Cut at the lines that name a file."""
        texts: dict[str, list[str]] = {}
        for line in output:
            if line.startswith("== "):
                lines = texts.setdefault(line.removeprefix("== "), [])
            elif texts:
                lines.append(line)
        return {path: Specification.read("\n".join(lines)) for path, lines in texts.items()}


class DeviceLinks(FactBase[Links]):
    """NVIDIA's device nodes and the links to them in /dev/char, by which systemd gives devices to control groups."""

    default = Links

    @override
    def command(self) -> str:
        """Print numbers in hexadecimal digits, as stat knows them."""
        return (
            f'for n in /dev/nvidia* /dev/nvidia-caps/nvidia-cap*; do case "$n" in {_LEFT_OUT}) continue;; esac; '
            '[ -d "$n" ] || [ ! -e "$n" ] || stat -c "node %t %T %n" "$n"; done; '
            "find /dev/char -lname '*/nvidia*' -printf 'link %f %l\\n' 2>/dev/null; "
            "find /dev/char -lname '*/nvidia*' -exec stat -L -c 'leads %n %t %T' {} + 2>/dev/null; true"
        )

    @override
    def process(self, output: list[str]) -> Links:
        """Parse `node c3 fe /dev/nvidia-modeset`, `link 195:254 ../nvidia-modeset`, `leads /dev/char/195:254 c3 fe`.

        systemd finds nothing by links that lead nowhere or to other numbers than their own: they are left out.
        """
        rows = [line.split() for line in output if line.strip()]
        nodes = {row[3]: numbers(row[1], row[2]) for row in rows if row[0] == "node"}
        links = {row[1]: posixpath.normpath(posixpath.join("/dev/char", row[2])) for row in rows if row[0] == "link"}
        leads = {posixpath.basename(row[1]): numbers(row[2], row[3]) for row in rows if row[0] == "leads"}
        wanted = {name: "" if nodes.get(path) == "" else name for name, path in links.items()}
        return Links(nodes, {name: path for name, path in links.items() if leads.get(name) == wanted[name]})


def numbers(major: str, minor: str) -> str:
    """Return a device's numbers as /dev/char has them, from stat's hexadecimal ones; empty for what is no device."""
    return f"{int(major, 16)}:{int(minor, 16)}" if major != "0" else ""
