"""Time and memory of `gpufleet fabric check` on N hosts in the simulator: `python benchmarks/fabric_simulated.py [N]`.

The first host is a container that runs the real OpenSM and the real diagnostics; the others are in the simulator alone,
which takes 1,900 hosts and their switches. Told apart are the time on that host and the check's own.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from gpufleet.converge.run import converge  # noqa: E402 - the checkout is no package
from gpufleet.fabric import plan as plans  # noqa: E402 - the same
from gpufleet.lab import prerequisites  # noqa: E402 - the same
from gpufleet.lab.fabric import fabric as fabrics  # noqa: E402 - the same
from gpufleet.lab.fabric import netfile  # noqa: E402 - the same
from gpufleet.lab.hosts import HostSpec  # noqa: E402 - the same
from gpufleet.lab.inventory import hosts as connections  # noqa: E402 - the same
from gpufleet.lab.lab import Lab  # noqa: E402 - the same
from gpufleet.lab.state import State  # noqa: E402 - the same
from tests.support.fabrics import two_tier  # noqa: E402 - the same
from tests.support.simulated_fabric import until_master, until_settled  # noqa: E402 - the same

NAME = "fabric-simulated"
DATA = {
    "_sudo": True,
    "infiniband": {"memlock": {"services": []}, "acs": "untouched"},
    "subnet_manager": {"ports": [{"device": "mlx5_0"}]},
}
#: One check in a process of its own, with the seconds that it waited for the host, those of its processor, its memory.
PROGRAM = """
import resource, sys, time
from gpufleet.cli import app
from gpufleet.fabric import asking
waited, ask = [], asking.ask
def timed(*arguments):
    started = time.monotonic()
    answers = ask(*arguments)
    waited.append(time.monotonic() - started)
    return answers
asking.ask = timed
started = time.monotonic()
try:
    app(sys.argv[1:])
finally:
    used, whole = resource.getrusage(resource.RUSAGE_SELF), time.monotonic() - started
    own, cpu = whole - sum(waited), used.ru_utime + used.ru_stime
    print(f"host {sum(waited):.2f} s, own {own:.2f} s ({cpu:.2f} s CPU), {used.ru_maxrss // 1024} MiB", file=sys.stderr)
"""


def bring_up(folder: Path, hosts: int) -> str:
    """Have the fabric with its first host, and OpenSM on it; return that host's name."""
    fabric = two_tier(hosts, 1)
    (folder / "fabric.yaml").write_text("".join(fabric.plan()))
    plan = plans.load(folder / "fabric.yaml")
    netfile.check(plan)
    first, *others = fabric.hosts()
    lab = Lab.up(NAME, [HostSpec.parse(f"{first}=debian-12/hgx-a100")])
    fabrics.ensure(State(NAME), plan, lab.hosts, {}, print)
    rows = [(first, {**dict(connections(NAME))[first], **DATA}), *others]
    (folder / "fleet.py").write_text(f"fleet = {rows!r}\n")
    result = converge(folder / "fleet.py", [ROOT / "deploys/fabric.py"], limit=[first])
    if result.failures():
        sys.exit("\n".join(map(str, result.failures())))
    return first


def wait_until_up(lab: Lab, first: str) -> float:
    """Wait until OpenSM has brought every link up; return the seconds that it took."""
    started = time.monotonic()
    until_master(lab.host(first))
    until_settled(lab.host(first), 500)
    return time.monotonic() - started


def measure(folder: Path, *arguments: str) -> str:
    command = [sys.executable, "-c", PROGRAM, "fabric", "check", str(folder / "fleet.py"), *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return f"{done.stderr.strip()}  exit {done.returncode}  {done.stdout.strip()}"


def main() -> None:
    hosts = int(sys.argv[1]) if sys.argv[1:] else 1000
    prerequisites.ensure(print)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            first = bring_up(folder, hosts)
            lab = Lab.load(NAME)
            print(f"OpenSM: {wait_until_up(lab, first):.1f} s until every link is up")
            for _ in range(3):
                print(measure(folder), flush=True)
            (folder / "net.txt").write_text(lab.host(first).execute("ibnetdiscover").stdout)
            print("saved: ", measure(folder, "--from", str(folder / "net.txt")))
        finally:
            Lab.remove(NAME)


if __name__ == "__main__":
    main()
