"""Time and memory of `gpufleet fabric check --from` for N hosts x 8 rails: `python benchmarks/fabric.py [N ...]`."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.support.fabrics import Fabric, two_tier  # noqa: E402 - the checkout is no package

RAILS = 8
#: One check in a process of its own, with the largest memory it had.
PROGRAM = """
import resource, sys
from gpufleet.cli import app
try:
    app(sys.argv[1:])
finally:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
"""


def write(folder: Path, fabric: Fabric) -> None:
    with (folder / "fabric.yaml").open("w") as file:
        file.writelines(fabric.plan())
    with (folder / "net.txt").open("w") as file:
        file.writelines(fabric.text())
    (folder / "fleet.py").write_text(f"gpu = {fabric.hosts()!r}\n")


def measure(folder: Path) -> str:
    started, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [
        sys.executable,
        "-c",
        PROGRAM,
        "fabric",
        "check",
        str(folder / "fleet.py"),
        "--from",
        str(folder / "net.txt"),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    seconds, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    memory = int(done.stderr.split()[-1]) // 1024
    last = done.stdout.splitlines()[-1] if done.stdout else done.stderr
    return f"{seconds:6.2f} s  {cpu:6.2f} s CPU  {memory:5} MiB  exit {done.returncode}  {last}"


def main() -> None:
    for hosts in map(int, sys.argv[1:] or ["1000", "2500", "5000", "10000"]):
        with tempfile.TemporaryDirectory() as folder:
            write(Path(folder), two_tier(hosts, RAILS))
            print(f"{hosts:6} hosts x {RAILS}: ", measure(Path(folder)), flush=True)


if __name__ == "__main__":
    main()
