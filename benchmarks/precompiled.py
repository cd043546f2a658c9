"""Side by side: the same upgrade of the driver on a host that compiles and on one that takes what the first compiled.

    python benchmarks/precompiled.py                                     Debian's own 535.216.03 to 535.261.03
    python benchmarks/precompiled.py --before 535.261.03 --after 535.216.03

Two lab hosts with Debian 12 and real packages, one after the other on an otherwise idle machine; ten minutes. The time
is that of `gpufleet deploy`, from the first connection to the proof that module and userspace agree.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
GPUFLEET = Path(sys.executable).parent / "gpufleet"
LAB, COMPILES, INSTALLS = "precompiled", "compiles", "installs"
COMPILERS = "for p in cc gcc make dkms; do command -v $p; done; true"

INVENTORY = f"""\
import json
import pathlib

from gpufleet.lab.inventory import hosts

_wanted = json.loads(pathlib.Path(__file__).with_suffix(".json").read_text())
fleet = [(name, {{**data, "_sudo": True, "base": {{}}, **_wanted[name]}}) for name, data in hosts("{LAB}")]
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Compare an upgrade by DKMS with one by a build of another host.")
    parser.add_argument("--before", default="535.216.03")
    parser.add_argument("--after", default="535.261.03")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["GPUFLEET_STATE_DIR"] = folder
        try:
            compare(Path(folder) / "fleet.py", options.before, options.after)
        finally:
            gpufleet("lab", "down", "--lab", LAB)


def compare(inventory: Path, before: str, after: str) -> None:
    """Upgrade both hosts, one after the other."""
    inventory.write_text(INVENTORY)
    machines = [f"{name}=debian-12/hgx-h100" for name in (COMPILES, INSTALLS)]
    gpufleet("lab", "up", "--lab", LAB, *machines)
    for name in (COMPILES, INSTALLS):
        without_cache(name)
    want(inventory, before)
    gpufleet("deploy", inventory, ROOT / "deploys/base.py", "--no-verify")
    for name in (COMPILES, INSTALLS):
        upgrade(inventory, name)
        if name == COMPILES:
            build(inventory)
    want(inventory, after)
    compiled, packed, installed = upgrade(inventory, COMPILES), build(inventory), upgrade(inventory, INSTALLS)
    print(f"{os.cpu_count()} cores, {before} to {after}, load {os.getloadavg()[0]:.1f}")
    print(f"{'DKMS on the first host':42}{compiled:8.1f} s")
    print(f"{'packing that build, once for all others':42}{packed:8.1f} s")
    print(f"{'the second host, without a compiler':42}{installed:8.1f} s  {installed / compiled:.3f} of the first")


def without_cache(name: str) -> None:
    """Have the host compile for itself: hosts of labs take from a cache what another one compiled before."""
    setting = "echo CCACHE_DISABLE=1 >> /etc/environment"
    subprocess.run(["docker", "exec", f"gpufleet-{LAB}-{name}", "sh", "-c", setting], check=True)


def want(inventory: Path, version: str) -> None:
    """Say what the two hosts shall have."""
    driver = {"version": version, "source": "distribution"}
    modules = {COMPILES: "dkms", INSTALLS: "precompiled"}
    data = {name: {"nvidia_driver": driver | {"modules": way}} for name, way in modules.items()}
    inventory.with_suffix(".json").write_text(json.dumps(data))


def upgrade(inventory: Path, name: str) -> float:
    """Deploy the driver to one host, whose checks pass then, and return the seconds of the deploy."""
    words = ("deploy", inventory, ROOT / "deploys/driver.py", "--limit", name, "--no-verify")
    seconds = gpufleet(*words)
    gpufleet("verify", inventory, "--role", "nvidia_driver", "--limit", name)
    found = subprocess.run(
        ["docker", "exec", f"gpufleet-{LAB}-{name}", "sh", "-c", COMPILERS], check=True, capture_output=True
    )
    if name == INSTALLS and found.stdout:
        raise SystemExit(f"{name}: expected no compiler, found {found.stdout.decode().split()}")
    return seconds


def build(inventory: Path) -> float:
    """Have what the first host compiled packed for the other, and return the seconds."""
    data = json.loads(inventory.with_suffix(".json").read_text())
    # Only hosts that want builds make them.
    data[COMPILES]["nvidia_driver"]["modules"] = "precompiled"
    own = inventory.with_name("build.py")
    own.write_text(INVENTORY)
    own.with_suffix(".json").write_text(json.dumps(data))
    return gpufleet("modules", "build", own, "--limit", COMPILES)


def gpufleet(*words: str | Path) -> float:
    """Run the command and return its seconds; a failure ends the comparison with what was printed."""
    started = time.monotonic()
    done = subprocess.run([GPUFLEET, *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"gpufleet {' '.join(map(str, words))}\n{done.stdout}{done.stderr}")
    return time.monotonic() - started


if __name__ == "__main__":
    main()
