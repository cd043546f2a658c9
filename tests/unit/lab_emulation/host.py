"""A lab host's tree in a temporary folder, and the emulation's programs run against it."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import gpufleet.lab
from gpufleet.lab.emulation.emulated import pci
from gpufleet.lab.profiles import Profile

PROGRAMS = Path(gpufleet.lab.__file__).parent / "emulation"
KERNEL = "6.1.0-50-amd64"


def module_file(path: Path, name: str, extra: bytes = b"", vermagic: str = KERNEL, **fields: str) -> Path:
    """Write the smallest file that a kernel would take for the module `name`."""
    known = {
        "name": name,
        "vermagic": f"{vermagic} SMP preempt mod_unload modversions ",
        "license": "GPL",
        "depends": "",
    }
    # Several values of one field are separated by a line end.
    lines = [f"{key}={value}" for key, values in {**known, **fields}.items() for value in values.split("\n")]
    info, names = "\0".join(lines).encode() + b"\0" + extra, b"\0.modinfo\0.shstrtab\0"
    start = struct.pack("<4sBBBB8xHHIQQQIHHHHHH", b"\x7fELF", 2, 1, 1, 0, 1, 62, 1, 0, 0,
                        64 + len(info) + len(names), 0, 64, 0, 0, 64, 3, 2)  # fmt: skip
    headers = [bytes(64), _header(1, 64, len(info)), _header(10, 64 + len(info), len(names))]
    path.write_bytes(start + info + names + b"".join(headers))
    return path


def _header(name: int, offset: int, size: int) -> bytes:
    return struct.pack("<IIQQQQIIQQ", name, 1, 0, 0, offset, size, 0, 0, 1, 0)


class Host:
    """One host with the devices of a profile, its kernel running and no module loaded."""

    def __init__(self, root: Path, profile: str) -> None:
        self.root = root
        self.modules = root / "sys/module"
        for name in (
            "sys/module",
            "sys/bus/pci/drivers",
            "proc/driver",
            "dev",
            "run/gpufleet-lab",
            "etc/gpufleet-lab",
        ):
            (root / name).mkdir(parents=True)
        (root / "run/gpufleet-lab/kernel").write_text(f"{KERNEL}\n")
        (root / "etc/hostname").write_text("gpu-01\n")
        (root / "etc/gpufleet-lab/profile.json").write_text(Profile.load(profile).model_dump_json())
        for device in pci.devices(Profile.load(profile).model_dump(mode="json")):
            folder = root / "sys/bus/pci/devices" / device.address
            folder.mkdir(parents=True)
            for file, content in pci.files(device).items():
                (folder / file).write_text(f"{content}\n")
            (folder / "config").write_bytes(pci.config_space(device))

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one of the emulation's programs."""
        environment = {**os.environ, "GPUFLEET_LAB_ROOT": str(self.root), "PYTHONDONTWRITEBYTECODE": "1"}
        command: Sequence[str] = [sys.executable, str(PROGRAMS / program), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=30)

    def load(self, name: str, arguments: str = "", extra: bytes = b"", **fields: str) -> int:
        """Make a module file and load it as libuname would; the error number."""
        path = module_file(self.root / f"{name}.ko", name, extra, **fields)
        return self.run("kernel", "load", str(path), arguments, "0").returncode

    def unload(self, name: str) -> int:
        """Unload a module as libuname would; the error number."""
        return self.run("kernel", "unload", name, "0").returncode

    def install_driver(self, library: str = "535.216.03", module: str = "535.216.03") -> None:
        """Put the userspace library in place, and the kernel module into the kernel."""
        folder = self.root / "usr/lib/x86_64-linux-gnu"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"libnvidia-ml.so.{library}").touch()
        (folder / "libnvidia-ml.so.1").unlink(missing_ok=True)
        (folder / "libnvidia-ml.so.1").symlink_to(f"libnvidia-ml.so.{library}")
        banner = f"NVIDIA UNIX x86_64 Kernel Module  {module}  Fri Oct 25 22:43:06 UTC 2024\0".encode()
        fields = {"license": "NVIDIA", "version": module, "srcversion": "86397DBEF232F6DDB587EF2"}
        parameters = "NVreg_EnableMSI:int\nNVreg_RegistryDwords:charp"
        error = self.load("nvidia", 'NVreg_EnableMSI=1 NVreg_RegistryDwords="A=1;B=2" NVreg_Typo=1',
                          extra=banner + b"GCC: (Debian 12.2.0-14+deb12u1) 12.2.0\0",
                          parmtype=parameters, alias="pci:v000010DEd*sv*sd*bc03sc02i00*", **fields)  # fmt: skip
        assert error == 0

    def held_open(self, pid: int, node: str) -> None:
        """Show a process that holds a device open."""
        folder = self.root / "proc" / str(pid) / "fd"
        folder.mkdir(parents=True)
        (folder / "3").symlink_to(self.root / "dev" / node)

    def log(self) -> list[str]:
        """Messages of the kernel log without their times."""
        return self.run("dmesg", "-t").stdout.splitlines()
