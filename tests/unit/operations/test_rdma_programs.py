"""The programs, rules and units that the role infiniband writes, run or read here on folders in the place of /sys."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from gpufleet.facts.pcie import ACS_CONTROL, BRIDGES, DEVICE_CONTROL, AcsControls, DeviceControl, DeviceControls
from gpufleet.facts.rdma import RdmaAdapters, RdmaDevice, RdmaDevices, RdmaPort
from gpufleet.operations.files import render
from gpufleet.operations.pcie import Register

FIRST, SECOND, VIRTUAL = "0000:18:00.0", "0000:3b:00.0", "0000:18:00.1"
#: Renames in the folders as the kernel does, and refuses a name that is taken.
RDMA = """#!/bin/sh
[ "$1 $2 $4" = "dev set name" ] || exit 2
[ ! -e ROOT/sys/class/infiniband/$5 ] || { echo "error: File exists" >&2; exit 1; }
d=$(readlink -f ROOT/sys/class/infiniband/$3)
rm ROOT/sys/class/infiniband/$3
mv $d ${d%/*}/$5
ln -s ${d%/*}/$5 ROOT/sys/class/infiniband/$5
"""
#: Reads and writes registers that are files, one for each device and register; others it does not have.
SETPCI = """#!/bin/sh
case "$1" in
-f) for f in ROOT/registers/*."$3".CAP_EXP+8.w; do echo "${4#*=}" >"$f"; done; exit;;
esac
f=$(echo ROOT/registers/$2.*${3%=*})
[ -e "$f" ] || { echo "setpci: $2: Instance #0 of Capability not found" >&2; exit 1; }
case "$3" in *=*) echo "${3#*=}" >"$f";; *) cat "$f";; esac
"""


class Machine:
    """A tree of PCI devices below a folder, and programs that know it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "bin").mkdir()
        (root / "registers").mkdir()
        (root / "sys/class/infiniband").mkdir(parents=True)
        (root / "sys/bus/pci/devices").mkdir(parents=True)
        for name, text in (("rdma", RDMA), ("setpci", SETPCI)):
            (root / "bin" / name).write_text(text.replace("ROOT", str(root)))
            (root / "bin" / name).chmod(0o755)

    def device(self, path: str, vendor: str, device: str, kind: str) -> Path:
        """A PCI function below bridges: `0000:17:01.0/0000:18:00.0`."""
        folder = self.root / "sys/devices/pci0000:17" / path
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in (("vendor", vendor), ("device", device), ("class", kind), ("numa_node", "1")):
            (folder / name).write_text(f"0x{text}\n" if name != "numa_node" else f"{text}\n")
        (self.root / "sys/bus/pci/devices" / folder.name).symlink_to(folder)
        return folder

    def rdma(self, path: str, name: str) -> None:
        """The RDMA device of a function."""
        folder = self.device(path, "15b3", "1021", "020700")
        port = folder / "infiniband" / name / "ports/1"
        port.mkdir(parents=True)
        (port.parents[1] / "device").symlink_to(folder)
        (port.parents[1] / "node_guid").write_text("a088:c203:00ab:0001\n")
        for field, text in (("link_layer", "InfiniBand"), ("state", "4: ACTIVE"), ("phys_state", "5: LinkUp")):
            (port / field).write_text(f"{text}\n")
        (port / "rate").write_text("400 Gb/sec (4X NDR)\n")
        (self.root / "sys/class/infiniband" / name).symlink_to(port.parents[1])

    def register(self, address: str, kind: str, register: str, value: str) -> None:
        (self.root / "registers" / f"{address}.{kind}.{register}").write_text(f"{value}\n")

    def registers(self) -> dict[str, str]:
        return {path.name: path.read_text().strip() for path in sorted((self.root / "registers").iterdir())}

    def names(self) -> dict[str, str]:
        found = self.root.glob("sys/bus/pci/devices/*/infiniband/*")
        return {path.parents[1].name: path.name for path in sorted(found)}

    def run(self, text: str, *arguments: str) -> str:
        """Run a script with this machine in the place of the real one."""
        here = re.sub(r"(?<![\w}])/(sys|run)/", rf"{self.root}/\1/", text)
        here = re.sub(r"^PATH=.*$", "", here, flags=re.MULTILINE)
        (self.root / "run").mkdir(exist_ok=True)
        environment = {**os.environ, "PATH": f"{self.root}/bin:{os.environ['PATH']}"}
        command = ["sh", "-c", here, "sh", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.mark.parametrize("order", [(FIRST, SECOND), (SECOND, FIRST)])
def test_swapped_names_are_put_right_whichever_event_comes_first(machine: Machine, order: tuple[str, str]) -> None:
    machine.rdma(f"0000:17:01.0/{FIRST}", "mlx5_1")
    machine.rdma(f"0000:3a:01.0/{SECOND}", "mlx5_0")
    wanted = {FIRST: "mlx5_0", SECOND: "mlx5_1"}
    program = render("usr/local/lib/gpufleet/rdma-name.sh")
    for address in order:
        machine.run(program, address, wanted[address])
    assert machine.names() == wanted
    machine.run(program, FIRST, "mlx5_0")
    assert machine.names() == wanted


def test_an_undeclared_device_steps_aside(machine: Machine) -> None:
    machine.rdma(f"0000:17:01.0/{VIRTUAL}", "mlx5_0")
    machine.rdma(f"0000:17:01.0/{FIRST}", "mlx5_1")
    machine.run(render("usr/local/lib/gpufleet/rdma-name.sh"), FIRST, "mlx5_0")
    assert machine.names() == {FIRST: "mlx5_0", VIRTUAL: "aside_0000_18_00_1"}


def test_a_function_without_a_device_is_left_alone(machine: Machine) -> None:
    machine.device(FIRST, "15b3", "1021", "020700")
    machine.run(render("usr/local/lib/gpufleet/rdma-name.sh"), FIRST, "mlx5_0")
    assert machine.names() == {}


def test_settings_of_pci_express(machine: Machine) -> None:
    machine.rdma(f"0000:17:01.0/{FIRST}", "mlx5_0")
    machine.device("0000:17:01.0/0000:17:02.0/0000:19:00.0", "10de", "2330", "030200")
    machine.device("0000:20:01.0/0000:21:00.0", "144d", "a80a", "010802")
    for bridge in ("0000:17:01.0", "0000:20:01.0"):
        machine.register(bridge, "8086:1", ACS_CONTROL, "001d")
    machine.register(FIRST, "15b3:1021", DEVICE_CONTROL, "2936")
    controls = AcsControls()
    assert controls.process(machine.run(controls.command()).splitlines()) == {"0000:17:01.0": 0x1D}
    found = DeviceControls()
    assert found.process(machine.run(found.command()).splitlines()) == [DeviceControl(FIRST, "15b3:1021", 0x2936)]
    machine.run(_program({"15b3:1021": Register.of(4096, None)}, acs_off=True))
    assert machine.registers() == {
        f"0000:17:01.0.8086:1.{ACS_CONTROL}": "0000",
        f"{FIRST}.15b3:1021.{DEVICE_CONTROL}": "5000:7000",
        f"0000:20:01.0.8086:1.{ACS_CONTROL}": "001d",
    }
    assert controls.process(machine.run(controls.command()).splitlines()) == {"0000:17:01.0": 0}


def test_nothing_of_acs_where_it_stays(machine: Machine) -> None:
    machine.rdma(f"0000:17:01.0/{FIRST}", "mlx5_0")
    machine.register("0000:17:01.0", "8086:1", ACS_CONTROL, "001d")
    machine.run(_program({}, acs_off=False))
    assert machine.registers() == {f"0000:17:01.0.8086:1.{ACS_CONTROL}": "001d"}


def _program(registers: dict[str, Register], acs_off: bool) -> str:
    return render(
        "usr/local/lib/gpufleet/pcie-settings.sh",
        registers=registers,
        acs_off=acs_off,
        bridges=BRIDGES,
        acs_control=ACS_CONTROL,
        device_control=DEVICE_CONTROL,
    )


def test_devices_and_adapters_are_read(machine: Machine) -> None:
    machine.rdma(f"0000:17:01.0/{FIRST}", "mlx5_0")
    virtual = machine.device(f"0000:17:01.0/{VIRTUAL}", "15b3", "101e", "020000")
    (virtual / "physfn").symlink_to(machine.root)
    machine.device(SECOND, "8086", "1593", "020000")
    devices, adapters = RdmaDevices(), RdmaAdapters()
    port = RdmaPort(1, "InfiniBand", "ACTIVE", "LinkUp", 400, 4)
    assert devices.process(machine.run(devices.command()).splitlines()) == [
        RdmaDevice("mlx5_0", FIRST, "a088:c203:00ab:0001", 1, (port,))
    ]
    assert adapters.process(machine.run(adapters.command()).splitlines()) == [FIRST]


RULES = render(
    "etc/udev/rules.d/60-rdma-persistent-naming.rules",
    names={FIRST: "mlx5_0", SECOND: "mlx5_1"},
    kernel='KERNEL=="mlx5_[0-9]*", ',
    program="/usr/local/lib/gpufleet/rdma-name.sh",
)
#: Keys of udev(7) that rules of ours may use, each with its operators.
_KEY = re.compile(r'(ACTION|SUBSYSTEM|KERNEL|SUBSYSTEMS|KERNELS)=="[^"]+"|RUN\+="[^"]+"')


def test_rules_are_udevs() -> None:
    lines = [line for line in RULES.splitlines() if not line.startswith("#")]
    assert len(lines) == 2
    assert all(_KEY.fullmatch(part) for line in lines for part in line.split(", "))


def test_udev_and_systemd_accept_what_is_written(tmp_path: Path) -> None:
    rules, unit = tmp_path / "60-rdma-persistent-naming.rules", tmp_path / "gpufleet-pcie.service"
    rules.write_text(RULES)
    # systemd-analyze looks for the program, which lies on hosts alone.
    unit.write_text(
        render(f"etc/systemd/system/{unit.name}").replace("/usr/local/lib/gpufleet/pcie-settings.sh", "/bin/true")
    )
    readers = {
        "udevadm": ["udevadm", "verify", str(rules)],
        "systemd-analyze": ["systemd-analyze", "verify", str(unit)],
    }
    for program, command in readers.items():
        if shutil.which(program) and _knows(*command[:2]):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert (done.returncode, done.stderr) == (0, ""), program


def _knows(program: str, verb: str) -> bool:
    """Whether this version of a program has the verb; udevadm has `verify` from systemd 254 on."""
    return subprocess.run([program, verb, "--help"], capture_output=True, check=False).returncode == 0
