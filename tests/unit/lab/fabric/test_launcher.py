"""What stands before the diagnostics: which adapter it chooses, and what is left of it."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from gpufleet.lab import waiting
from gpufleet.lab.fabric import equipment
from tests.unit.lab.fabric.ibsim import Ibsim, port_info

#: Says how it was called; the simulator's library makes a folder in the current one.
PROGRAM = """#!/bin/sh
mkdir sys-1 && echo 1 >sys-1/state
echo "$SIM_HOST: $*"
[ "$1" != broken ] || { echo sorry >&2; exit 3; }
if [ "$1" = full ] && ! [ -e "$GPUFLEET_LAB_ROOT/tried" ]; then
  touch "$GPUFLEET_LAB_ROOT/tried"; rm -r sys-1
  echo "ibpanic: [1] sim_init: connect failed" >&2; exit 255
fi
if [ "$1" = waiting ]; then
  trap 'echo ended; exit 4' TERM
  touch "$GPUFLEET_LAB_ROOT/waits"
  while :; do sleep 0.05; done
fi
rm -r sys-1
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    home = tmp_path / "usr/lib/gpufleet-lab-fabric"
    for folder in (home / "devices", tmp_path / "usr/sbin", tmp_path / "usr/local/sbin", tmp_path / "tmp"):
        folder.mkdir(parents=True)
    for device in ("mlx5_0", "mlx5_3"):
        (home / f"devices/{device}-1").write_text(f'SIM_HOST="gpu-01 {device}"\n')
    for name in ("ibstat", "sminfo", "iblinkinfo"):
        (tmp_path / "usr/local/sbin" / name).symlink_to(equipment.HOST / "launcher")
        (tmp_path / "usr/sbin" / name).write_text(PROGRAM)
        (tmp_path / "usr/sbin" / name).chmod(0o755)
    return tmp_path


def start(root: Path, program: str, *words: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "GPUFLEET_LAB_ROOT": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [str(root / "usr/local/sbin" / program), *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def run(root: Path, program: str, *words: str) -> tuple[int | None, str, str]:
    process = start(root, program, *words)
    output, errors = process.communicate(timeout=30)
    assert list((root / "tmp").iterdir()) == []
    return process.returncode, output, errors


@pytest.mark.parametrize(
    ("command", "output"),
    [
        ("sminfo", "gpu-01 mlx5_0: \n"),
        ("sminfo -C mlx5_3 -P 1", "gpu-01 mlx5_3: -C mlx5_3 -P 1\n"),
        ("sminfo -P 1 -Cmlx5_3", "gpu-01 mlx5_3: -P 1 -Cmlx5_3\n"),
        ("sminfo --Ca mlx5_3", "gpu-01 mlx5_3: --Ca mlx5_3\n"),
        ("sminfo --Ca=mlx5_3", "gpu-01 mlx5_3: --Ca=mlx5_3\n"),
        ("sminfo mlx5_3", "gpu-01 mlx5_0: mlx5_3\n"),
        ("sminfo -C mlx5_7", "gpu-01 mlx5_0: -C mlx5_7\n"),
        ("sminfo -C", "gpu-01 mlx5_0: -C\n"),
        ("ibstat", "gpu-01 mlx5_0: \ngpu-01 mlx5_3: \n"),
        ("ibstat -l", "gpu-01 mlx5_0: -l\ngpu-01 mlx5_3: -l\n"),
        ("ibstat mlx5_3 1", "gpu-01 mlx5_3: mlx5_3 1\n"),
        ("ibstat mlx5_7", "gpu-01 mlx5_0: mlx5_7\n"),
    ],
)
def test_it_runs_the_program_on_the_adapter_that_is_asked_for(root: Path, command: str, output: str) -> None:
    assert run(root, *command.split()) == (0, output, "")


def test_ibstat_tells_the_true_rate(root: Path, ibsim: Ibsim) -> None:
    """The library's files have 104 for HDR."""
    ibsim.info = port_info(extended=4)
    for device in ("mlx5_0", "mlx5_3"):
        with (root / f"usr/lib/gpufleet-lab-fabric/devices/{device}-1").open("a") as file:
            file.write(f"IBSIM_SERVER_NAME=127.0.0.1\nIBSIM_SERVER_PORT={ibsim.port}\n")
    said = PROGRAM.replace("rm -r sys-1", "rm -r sys-1; printf '\\t\\tRate: 104\\n'")
    (root / "usr/sbin/ibstat").write_text(said)
    lines = [f"gpu-01 mlx5_{number}: \n\t\tRate: 200\n" for number in (0, 3)]
    assert run(root, "ibstat") == (0, "".join(lines), "")
    ibsim.full = 1
    assert run(root, "ibstat", "mlx5_0")[1] == "gpu-01 mlx5_0: mlx5_0\n\t\tRate: 104\n"


def test_what_the_program_says_of_itself_is_passed_on(root: Path) -> None:
    assert run(root, "sminfo", "broken") == (3, "gpu-01 mlx5_0: broken\n", "sorry\n")


def test_it_waits_for_a_place_at_the_simulator(root: Path) -> None:
    assert run(root, "sminfo", "full") == (0, "gpu-01 mlx5_0: full\n" * 2, "")


def test_a_program_that_is_told_to_end_ends_by_itself(root: Path) -> None:
    process = start(root, "sminfo", "waiting")
    waiting.until("sminfo", "a program that waits", lambda: ((root / "waits").exists(), ""), 30)
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=30) == ("gpu-01 mlx5_0: waiting\nended\n", "")
    assert (process.returncode, list((root / "tmp").iterdir())) == (4, [])


def test_a_program_that_is_not_installed_is_not_there(root: Path) -> None:
    (root / "usr/sbin/sminfo").unlink()
    assert run(root, "sminfo") == (127, "", "")


def test_every_program_of_the_list_begins_with_it() -> None:
    assert "ibstat" in equipment.PROGRAMS
    assert "ibstatus" not in equipment.PROGRAMS
    assert "ln -sf /usr/lib/gpufleet-lab-fabric/launcher /usr/local/sbin/$program" in equipment.SET_UP
