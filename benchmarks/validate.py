"""Time `gpufleet validate` on an inventory of N hosts, right and wrong: `python benchmarks/validate.py [N]`."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

INVENTORY = """
gpu = [(f"gpu-{{n:05}}", {{"ssh_hostname": f"10.{{n >> 16}}.{{n >> 8 & 255}}.{{n & 255}}"}}) for n in range({hosts})]
h100 = [name for name, _ in gpu[: {hosts} // 2]]
l40s = [name for name, _ in gpu[{hosts} // 2 :]]
"""
BASE = 'base = {"limits": {"nofile": 65536}, "time": {"servers": ["10.0.0.1"]}}\n'
RIGHT = 'nvidia_driver = {"version": "535.261.03"}\n'
WRONG = 'nvidia_driver = {"flavour": "opne", "reboot_timeout": "soon"}\nnvidia_drivers = {}\nssh_prot = 22\n'


def write(folder: Path, hosts: int, h100: str) -> Path:
    data = folder / "group_data"
    data.mkdir(parents=True)
    (data / "gpu.py").write_text(BASE)
    (data / "h100.py").write_text(h100)
    (data / "l40s.py").write_text(RIGHT)
    path = folder / "fleet.py"
    path.write_text(INVENTORY.format(hosts=hosts))
    return path


def measure(path: Path, *options: str) -> str:
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "gpufleet", "validate", str(path), *options], capture_output=True, text=True, check=False
    )
    seconds, lines = time.monotonic() - started, (done.stdout + done.stderr).splitlines()
    return f"{seconds:6.2f} s  exit {done.returncode}  {len(lines)} lines, the last: {lines[-1] if lines else ''}"


def main() -> None:
    hosts = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    with tempfile.TemporaryDirectory() as folder:
        right = write(Path(folder) / "right", hosts, RIGHT)
        wrong = write(Path(folder) / "wrong", hosts, WRONG)
        print(f"{hosts} hosts, no faults:           ", measure(right))
        print(f"{hosts} hosts, half of them wrong:  ", measure(wrong))
        print(f"{hosts} hosts, half wrong, as JSON: ", measure(wrong, "--json"))


if __name__ == "__main__":
    main()
