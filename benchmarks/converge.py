"""Side by side: the same deploy by pyinfra's own command and by gpufleet, with clock and processor time.

    python benchmarks/converge.py                                        200 played hosts, 20 operations, 5 ms a command
    python benchmarks/converge.py --hosts 1000 --operations 40 --delay 0
    python benchmarks/converge.py --inventory inventories/lab.py --deploy deploys/base.py

Each tool runs twice, and the second run is reported: nothing is left to change.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent

INVENTORY = """\
delay = {{"fake_delay": {delay}, "fake_delay_jitter": 0}}
fleet = [(f"@fake/gpu-{{number:04}}", delay) for number in range({hosts})]
"""
DEPLOY = """\
from pyinfra.operations import server

"""
OPERATION = 'server.shell(name="Operation {number}", commands=["true"])\n'


def main() -> None:
    """Measure and print."""
    options = arguments()
    with workload(options) as (inventory, deploy):
        commands: dict[str, list[Path | str]] = {
            "pyinfra --yes": [BIN / "pyinfra", "--yes", inventory, deploy],
            "pyinfra --yes --no-wait": [BIN / "pyinfra", "--yes", "--no-wait", inventory, deploy],
            "gpufleet deploy": [BIN / "gpufleet", "deploy", inventory, deploy, "--no-verify"],
        }
        print(f"{os.cpu_count()} cores, {describe(options)}")
        print(f"{'command':26}{'seconds':>9}{'cpu':>9}")
        for name, command in commands.items():
            measure(command)
            clock, processor = measure(command)
            print(f"{name:26}{clock:9.1f}{processor:9.1f}")


def arguments() -> argparse.Namespace:
    """What to measure."""
    parser = argparse.ArgumentParser(description="Compare gpufleet deploy with pyinfra.")
    parser.add_argument("--hosts", type=int, default=200)
    parser.add_argument("--operations", type=int, default=20)
    parser.add_argument("--delay", type=float, default=0.005, help="seconds that a played host takes for a command")
    parser.add_argument("--inventory", type=Path, help="real hosts instead of played ones")
    parser.add_argument("--deploy", type=Path, default=ROOT / "deploys/base.py", help="with --inventory")
    return parser.parse_args()


def describe(options: argparse.Namespace) -> str:
    """The workload in words."""
    if options.inventory:
        return f"{options.inventory} with {options.deploy}"
    return f"{options.hosts} played hosts, {options.operations} operations, {options.delay * 1000:g} ms a command"


@contextmanager
def workload(options: argparse.Namespace) -> Iterator[tuple[Path, Path]]:
    """The inventory and the deploy file, written for the occasion unless real ones are named."""
    if options.inventory:
        yield options.inventory, options.deploy
        return
    with tempfile.TemporaryDirectory(prefix="gpufleet-benchmark-") as directory:
        inventory, deploy = Path(directory, "fleet.py"), Path(directory, "deploy.py")
        inventory.write_text(INVENTORY.format(hosts=options.hosts, delay=options.delay))
        operations = (OPERATION.format(number=number) for number in range(options.operations))
        deploy.write_text(DEPLOY + "".join(operations))
        yield inventory, deploy


def measure(command: list[Path | str]) -> tuple[float, float]:
    """Seconds by the clock and of processor time for one run."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run([str(word) for word in command], cwd=ROOT, capture_output=True, text=True, check=False)
    clock, after = time.monotonic() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"{command[0]} failed:\n{done.stdout}{done.stderr}")
    return clock, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
