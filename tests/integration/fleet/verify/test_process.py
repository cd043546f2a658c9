"""The verification as a process: requests it refuses, plain pytest over the same files, what an interrupt leaves."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gpufleet.lab import waiting
from gpufleet.project import ROOT
from tests.support.lab import lab_name
from tests.support.verification import CHECKS, Inventory, gpufleet


def plain_pytest(inventory: Inventory, *options: str) -> str:
    command = [sys.executable, "-m", "pytest", "-q", "--tb=no", f"--confcutdir={CHECKS}", str(CHECKS), *options]
    command.append(f"--inventory={inventory.path}")
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT).stdout


def test_plain_pytest_runs_the_same_files(inventory: Inventory) -> None:
    shown = plain_pytest(inventory, "--limit=d12")
    assert shown.splitlines()[-1].startswith("1 failed, 3 passed, 3 errors, 2 unproven in ")


def test_pytest_xdist_keeps_a_host_in_one_worker(inventory: Inventory) -> None:
    shown = plain_pytest(inventory, "-n2", "--dist=loadgroup")
    assert shown.splitlines()[-1].startswith("2 failed, 6 passed, 6 errors, 4 unproven in ")


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (
            "def test_x(probe:\n",
            "{file}: expected a check module that Python can read, "
            "found SyntaxError: '(' was never closed; correct the file",
        ),
        (
            "import nosuch\n",
            "{file}: expected a check module that Python can read, "
            "found ModuleNotFoundError: No module named 'nosuch'; correct the file",
        ),
        (
            "def test_x():\n    pass\n",
            "the checks: expected checks of hosts, found test_sample.py::test_x without a host, "
            "which host, probe, data or declared would give it; correct the checks",
        ),
    ],
)
def test_checks_that_cannot_run_refuse_the_request(
    inventory: Inventory, checks: Path, module: str, message: str
) -> None:
    (checks / "test_sample.py").write_text(module)
    result = gpufleet(inventory.path, f"--checks={checks}")
    expected = message.format(file=checks / "test_sample.py")
    assert (result.returncode, result.stdout, result.stderr) == (2, "", f"gpufleet: {expected}\n")


def test_an_unknown_role_and_an_unknown_host_refuse_the_request(inventory: Inventory) -> None:
    role, host = gpufleet(inventory.path, "--role=smple"), gpufleet(inventory.path, "--limit=d14")
    assert (role.returncode, host.returncode) == (2, 2)
    assert role.stderr == "gpufleet: --role: expected a role with checks, found smple; did you mean sample?\n"
    assert host.stderr == (
        f"gpufleet: {inventory.path}: expected a limit that is a host, a group or a glob matching hosts, found d14; "
        "did you mean d13?\n"
    )


def directories() -> set[Path]:
    """Directories of verifications of this lab: other tests have theirs at the same time."""
    configs = Path("/tmp").glob("gpufleet-verify-*/ssh_config")
    return {config.parent for config in configs if f"/labs/{lab_name()}/" in text_of(config)}


def text_of(path: Path) -> str:
    try:
        return path.read_text()
    except FileNotFoundError:  # of a verification that just ended
        return ""


def test_an_interrupt_leaves_nothing(inventory: Inventory, checks: Path) -> None:
    (checks / "test_sample.py").write_text("PROBE = {'slow': 'sleep 15'}\ndef test_x(probe):\n    probe['slow']\n")
    before = directories()
    command = [sys.executable, "-m", "gpufleet", "verify", f"--checks={checks}", str(inventory.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        waiting.until("verify", "a connection", lambda: (any_socket(directories() - before), "none"), 60)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate()
    assert (process.returncode, errors) == (130, "gpufleet: interrupted; the same command may be given again\n")
    assert directories() == before


def any_socket(found: set[Path]) -> bool:
    return any(path.is_socket() for directory in found for path in directory.glob("0"))
