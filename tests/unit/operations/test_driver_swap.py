"""Swapping the driver: its script, run by a real shell over programs that note how they were called; and nouveau."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from gpufleet.facts.nouveau import Nouveau, NouveauState
from gpufleet.facts.nvidia import Driver, DriverState
from gpufleet.operations import driver_swap
from gpufleet.operations.driver_swap import swap_script
from gpufleet.stack.driver import WantedDriver
from tests.support.plans import Facts, plan

DAEMONS = ["nvidia-dcgm", "nvidia-persistenced"]
MODULES = ["nvidia_uvm", "nvidia_drm", "nvidia_modeset", "nvidia"]
STOP, START = "systemctl stop nvidia-dcgm nvidia-persistenced", "systemctl start nvidia-persistenced nvidia-dcgm"
UNLOAD = [f"rmmod {module}" for module in MODULES]
LOAD = [f"modprobe {module}" for module in ("nvidia", "nvidia_uvm", "nvidia_modeset", "nvidia_drm")]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


class Run:
    """Runs a script; the programs in it fail when they are called as `refused` says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, script: str, *refused: str) -> tuple[int, list[str]]:
        calls = self.folder / "calls"
        for program in ("systemctl", "rmmod", "modprobe"):
            cases = " ".join(f'"{call}") exit 1;;' for call in refused)
            text = f'#!/bin/sh\necho "{program} $*" >>{calls}\ncase "{program} $*" in {cases} esac\nexit 0\n'
            (self.folder / program).write_text(text)
            (self.folder / program).chmod(0o755)
        path = f"{self.folder}:/usr/bin:/bin"
        result = subprocess.run(["/bin/sh", "-c", script], env={"PATH": path}, check=False)
        return result.returncode, calls.read_text().splitlines()


def test_swap(run: Run) -> None:
    assert run(swap_script(DAEMONS, MODULES, load=True)) == (0, [STOP, *UNLOAD, *LOAD, START])


def test_removal(run: Run) -> None:
    assert run(swap_script(DAEMONS, MODULES, load=False)) == (0, [STOP, *UNLOAD])


def test_first_load(run: Run) -> None:
    assert run(swap_script([], [], load=True)) == (0, LOAD[:2])


def test_refused_unload_stops_the_swap_and_starts_the_daemons(run: Run) -> None:
    code, calls = run(swap_script(DAEMONS, MODULES, load=True), "rmmod nvidia_drm")
    assert code == 0
    assert [call for call in calls if call.startswith("rmmod")] == UNLOAD[:2]
    assert calls[-1] == START


def test_module_that_does_not_load_fails(run: Run) -> None:
    code, calls = run(swap_script(DAEMONS, MODULES, load=True), "modprobe nvidia")
    assert (code, calls[-1]) == (1, START)


def test_daemon_that_does_not_start_fails(run: Run) -> None:
    assert run(swap_script(DAEMONS, MODULES, load=True), START)[0] == 1


def test_daemon_that_does_not_start_with_the_old_module_is_forgiven(run: Run) -> None:
    assert run(swap_script(DAEMONS, MODULES, load=True), "rmmod nvidia", START)[0] == 0


def commands_beside(nouveau: Nouveau) -> list[str]:
    """What is done where no driver is loaded, a good one lies on disk, and nouveau is like this."""
    wanted = WantedDriver("580.95.05", "open", "nvidia")
    facts: Facts = {DriverState: Driver(on_disk="580.95.05", userspace="580.95.05"), NouveauState: nouveau}
    _, *lines = plan(lambda: driver_swap.swapped(wanted=wanted, name="Load driver"), facts).splitlines()
    return [line.strip() for line in lines]


def test_nouveau_that_would_come_back_fails_the_host() -> None:
    assert commands_beside(Nouveau(("0000:18:00.0", "0000:2a:00.0"))) == [
        "printf '%s\\n' 'gpu-07: GPUs 0000:18:00.0, 0000:2a:00.0: expected no driver on them but nvidia, found module "
        "nouveau, which nothing blacklists; deploy the role base, which blacklists it, then reboot' >&2; false",
        "failed",
    ]


def test_nouveau_that_a_reboot_keeps_away_is_a_reason_to_reboot() -> None:
    assert commands_beside(Nouveau(("0000:18:00.0",), is_blacklisted=True)) == [
        "install -d -m 755 /run/gpufleet/reboot-required",
        "printf '%s\\n' 'no module nvidia is loaded; held by module nouveau, which is blacklisted and stays away after "
        "a reboot' > /run/gpufleet/reboot-required/nvidia-driver",
    ]


def test_nouveau_without_a_gpu_is_not_in_the_way() -> None:
    assert commands_beside(Nouveau())[0] == swap_script([], [], load=True)
