"""The command line: lazy commands, errors as text, exit codes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from gpufleet import cli, roles
from gpufleet.errors import HostError


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli.app, arguments, prog_name="gpufleet")


def test_help_names_every_command_without_importing_any() -> None:
    program = (
        "import sys; from gpufleet import cli\n"
        "try: cli.app(['--help'])\n"
        "except SystemExit: print(sorted({'pyinfra', 'gevent', 'pydantic', 'pytest'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert [line.split()[0] for line in done.stdout.split("Commands:\n")[1].splitlines()[:-1]] == [*cli.COMMANDS]


@pytest.mark.parametrize("command", [*cli.COMMANDS])
def test_every_command_explains_itself(command: str) -> None:
    result = run(command, "--help")
    assert (result.exit_code, result.stdout.split(" [OPTIONS]")[0]) == (0, f"Usage: gpufleet {command}")


@pytest.mark.parametrize("command", [*cli.COMMANDS])
def test_the_help_line_is_that_of_the_command_itself(command: str) -> None:
    assert cli.COMMANDS[command][1] in " ".join(run(command, "--help").stdout.split())


def test_no_arguments_shows_the_help() -> None:
    assert run().output == run("--help").output


def test_an_unknown_command_gets_the_nearest() -> None:
    result = run("vlidate")
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1] == "Error: No such command 'vlidate'. Did you mean 'validate'?"


def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> Result:
    def fail() -> None:
        raise error

    monkeypatch.setitem(sys.modules, "gpufleet.demo", type(sys)("gpufleet.demo"))
    monkeypatch.setattr(sys.modules["gpufleet.demo"], "demo", fail, raising=False)
    return run("demo")


def test_an_error_is_text_and_an_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    result = failing(monkeypatch, HostError("gpu-1", expected="an answer", found="none", cure="look at it"))
    assert (result.exit_code, result.stderr) == (1, "gpufleet: gpu-1: expected an answer, found none; look at it\n")


def test_an_interrupt_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    result = failing(monkeypatch, KeyboardInterrupt())
    assert (result.exit_code, result.stderr) == (
        130,
        "gpufleet: interrupted; the same command may be given again\n",
    )


def test_an_interrupt_while_an_inventory_is_read_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "fleet.py").write_text("import time\nprint('reading', flush=True)\ntime.sleep(600)\n")
    command = [sys.executable, "-m", "gpufleet", "validate", str(tmp_path / "fleet.py")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "reading\n"
        os.killpg(process.pid, signal.SIGINT)
        assert process.stderr.read() == "gpufleet: interrupted; the same command may be given again\n"
    assert process.returncode == 130


def test_an_interrupt_behind_the_end_changes_nothing() -> None:
    """Python clears modules away last of all, and would let a signal kill it by then."""
    program = (
        "import os, signal, sys\n"
        "from gpufleet.start import main\n"
        "class Late:\n"
        "    def __init__(self): self.kill, self.number = os.kill, signal.SIGINT\n"
        "    def __del__(self): self.kill(os.getpid(), self.number)\n"
        "late, sys.argv = Late(), ['gpufleet', '--help']\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_an_interrupt_while_the_command_itself_is_read_is_the_same_line(tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text("import sys, time\nprint('reading', file=sys.stderr)\ntime.sleep(600)\n")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-m", "gpufleet", "--help"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "reading\n"
        process.send_signal(signal.SIGINT)
        assert process.stderr.read() == "gpufleet: interrupted; the same command may be given again\n"
    assert process.returncode == 130


def test_a_commands_own_exit_code_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    assert failing(monkeypatch, typer.Exit(4)).exit_code == 4


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    path = tmp_path / "fleet.py"
    path.write_text('gpu = [(f"gpu-{n}", {"base": {"swop": "off"}}) for n in range(1, 4)]\n')
    return path


def test_validate_accepts(tmp_path: Path) -> None:
    path = tmp_path / "fleet.py"
    path.write_text('gpu = [("gpu-1", {"base": {"swap": "off"}})]\n')
    result = run("validate", str(path))
    assert (result.exit_code, result.stdout) == (
        0,
        f"{path}: no faults (1 host; roles: {', '.join(roles.discover())})\n",
    )


def test_validate_refuses(wrong: Path) -> None:
    result = run("validate", str(wrong))
    assert (result.exit_code, result.stdout, result.stderr) == (
        2,
        "",
        f"gpufleet: {wrong}: expected no faults, found 3 faults; correct the lines below; nothing was touched\n"
        "  gpu-[1-3]: base.swop: unknown option; did you mean swap?\n",
    )


def test_validate_as_json_names_every_host(wrong: Path) -> None:
    result = run("validate", "--json", str(wrong))
    fault = {"where": "base.swop", "problem": "unknown option", "cure": "did you mean swap?"}
    assert result.exit_code == 2
    assert json.loads(result.stdout) == {
        "inventory": str(wrong),
        "hosts": 3,
        "roles": [*roles.discover()],
        "faults": [{**fault, "host": f"gpu-{number}"} for number in (1, 2, 3)],
    }


def test_validate_as_json_of_a_file_that_does_not_exist(tmp_path: Path) -> None:
    path = tmp_path / "absent.py"
    result = run("validate", "--json", str(path))
    assert result.exit_code == 2
    assert json.loads(result.stdout)["faults"] == [
        {
            "where": str(path),
            "problem": "expected an inventory file, found no such file",
            "cure": "name a file such as inventories/metal.py",
            "host": "",
        }
    ]
