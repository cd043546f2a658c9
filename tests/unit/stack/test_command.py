"""`gpufleet stack` from the command line: what it prints, what it refuses, how it ends."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from gpufleet import cli
from gpufleet.stack.host import judging
from gpufleet.stack.verdicts import Verdict

FLEET = 'h100 = ["gpu-1", "gpu-2"]\nlogin = ["login-1"]\n'
MACHINE = '{"os": "ubuntu-24.04", "gpus": {"H100 SXM5": 8}, "nvswitches": 4}'
H100 = f'machine = {MACHINE}\nnvidia_driver = {{"version": "580.95.05", "source": "nvidia"}}\n'
ERROR = Verdict("error", "driver", "branch 580", "branch 590", "choose it", "generation volta", "a table")
WARNING = Verdict("warning", "driver", "a living branch", "branch 580", "leave it", "branch 580", "a list")

Write = Callable[..., None]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli.app, arguments, prog_name="gpufleet")


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write `fleet.py`, group data and other files into a directory of its own, which becomes the current one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "group_data").mkdir()

    def written(h100: str = H100, **files: str) -> None:
        (tmp_path / "fleet.py").write_text(FLEET)
        (tmp_path / "group_data" / "h100.py").write_text(h100)
        for name, text in files.items():
            (tmp_path / f"{name}.yaml").write_text(text)

    return written


@pytest.fixture
def verdicts(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Let the matrix say this of every host, and more where it is asked to be strict."""

    def say(*always: Verdict, strictly: tuple[Verdict, ...] = ()) -> None:
        judging._check.cache_clear()
        answer: Any = lambda *given: (*always, *(strictly if given[-1] else ()))  # noqa: E731 - it takes what is said
        monkeypatch.setattr(judging, "check", answer)

    yield say
    judging._check.cache_clear()


def test_explain_prints_the_choice_of_each_kind_of_host(write: Write) -> None:
    write()
    result = run("stack", "explain", "fleet.py")
    lines = result.stdout.splitlines()
    assert (result.exit_code, lines[:2]) == (
        0,
        [
            "gpu-[1-2] (2 hosts): ubuntu-24.04 x86_64, 8 x H100 SXM5 80GB (2330), 4 NVSwitches, bare-metal",
            "  not declared, so taken as usual: arch, nvlink5, rdma_adapters, platform, kernel, secure_boot; "
            "declare it, or ask the hosts with --facts",
        ],
    )
    assert next(line.split()[1:3] for line in lines if line.startswith("  driver ")) == ["580.95.05", "open,"]
    assert lines[-2:] == ["login-1 (1 host): unknown machine", "  nothing is wanted of the stack"]


def test_explain_of_one_host_for_programs(write: Write) -> None:
    write()
    result = run("stack", "explain", "fleet.py", "gpu-2", "--json")
    (entry,) = json.loads(result.stdout)["hosts"]
    assert (result.exit_code, entry["hosts"], entry["overlay"]) == (0, ["gpu-2"], None)
    assert entry["machine"]["hardware"]["gpus"] == ["2330"] * 8
    assert entry["wish"]["driver"] == "580.95.05"
    assert entry["resolution"]["driver"]["version"] == "580.95.05"


def test_check_ends_with_0_and_the_warnings(write: Write, verdicts: Callable[..., None]) -> None:
    write()
    verdicts(WARNING)
    result = run("stack", "check", "fleet.py")
    assert (result.exit_code, result.stdout) == (
        0,
        "hosts      level    about   row\n"
        "gpu-[1-2]  warning  driver  branch 580\n"
        "gpu-[1-2]: warning: driver: expected a living branch, found branch 580; leave it (row branch 580; a list)\n"
        "3 hosts checked: 1 warning\n",
    )


def test_check_ends_with_2_and_all_conflicts(write: Write, verdicts: Callable[..., None]) -> None:
    write()
    verdicts(WARNING, strictly=(ERROR,))
    assert run("stack", "check", "fleet.py").exit_code == 0
    result = run("stack", "check", "fleet.py", "--strict")
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (2, "3 hosts checked: 1 conflict, 1 warning")
    as_json = run("stack", "check", "fleet.py", "--strict", "--json", "--limit", "gpu-1")
    document = json.loads(as_json.stdout)
    assert (as_json.exit_code, document["ok"], document["verdicts"][0]["hosts"]) == (2, False, ["gpu-1"])


def test_validate_refuses_what_does_not_fit_with_every_other_fault(write: Write, verdicts: Callable[..., None]) -> None:
    write(H100 + "base = {'swop': 'off'}\n")
    verdicts(ERROR)
    assert run("validate", "fleet.py").stderr.splitlines()[1:] == [
        "  gpu-[1-2]: base.swop: unknown option; did you mean swap?"
    ]
    write()
    result = run("validate", "fleet.py")
    assert (result.exit_code, result.stderr) == (
        2,
        "gpufleet: fleet.py: expected no faults, found 2 faults; correct the lines below; nothing was touched\n"
        "  gpu-[1-2]: stack: driver: expected branch 580, found branch 590; choose it (generation volta; a table)\n",
    )


def test_deploy_and_plan_refuse_it_too(write: Write, verdicts: Callable[..., None], tmp_path: Path) -> None:
    write()
    (tmp_path / "site.py").write_text("raise SystemExit('a deploy ran')\n")
    verdicts(ERROR)
    for command in ("deploy", "plan"):
        result = run(command, "fleet.py", "site.py")
        assert (result.exit_code, result.stderr.splitlines()[-1]) == (
            2,
            "  gpu-[1-2]: stack: driver: expected branch 580, found branch 590; choose it (generation volta; a table)",
        )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["explain", "fleet.py", "gpu-3"],
            "fleet.py: expected a limit that is a host, a group or a glob matching hosts, found gpu-3; "
            "did you mean gpu-2?",
        ),
        (
            ["check", "fleet.py", "--limit", "h200"],
            "fleet.py: expected a limit that is a host, a group or a glob matching hosts, found h200; "
            "did you mean h100?",
        ),
        (
            ["check", "fleat.py"],
            "fleat.py: expected an inventory file, found no such file; did you mean fleet.py?",
        ),
    ],
)
def test_hosts_and_files_that_do_not_exist(write: Write, arguments: list[str], message: str) -> None:
    write()
    result = run("stack", *arguments)
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", f"gpufleet: {message}\n")


def test_a_branch_that_does_not_exist(write: Write) -> None:
    write(f'machine = {MACHINE}\nnvidia_driver = {{"version": "581"}}\n')
    result = run("stack", "check", "fleet.py")
    assert result.exit_code == 2
    assert result.stdout.splitlines()[2].startswith("gpu-[1-2]: error: driver: expected ")
    assert result.stdout.splitlines()[-1].startswith("3 hosts checked: 1 conflict")


def test_hosts_of_which_too_little_is_declared(write: Write) -> None:
    write('nvidia_driver = {"version": "580"}\nmachine = {"os": "debian-12"}\n')
    loose, strict = run("stack", "check", "fleet.py"), run("stack", "check", "fleet.py", "--strict")
    assert (loose.exit_code, strict.exit_code) == (0, 2)
    assert (
        loose.stdout
        == strict.stdout
        == (
            "gpu-[1-2]: not checked: machine.os and machine.gpus are not both declared; "
            "declare it, or ask the hosts with --facts\n"
            "1 host checked: everything fits; 2 hosts not checked\n"
        )
    )


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        ("cuda: [\n", "stack.yaml: is not YAML: "),
        ("kuda: []\n", "stack.yaml: there is no subject kuda; did you mean cuda?"),
    ],
)
def test_a_broken_overlay_is_one_fault_of_the_request(write: Write, rows: str, fault: str) -> None:
    write(stack=rows)
    for command in (["stack", "check"], ["stack", "explain"], ["validate"]):
        result = run(*command, "fleet.py")
        head, *faults = result.stderr.splitlines()
        assert (result.exit_code, result.stdout, len(faults)) == (2, "", 1)
        assert head.endswith("expected no faults, found 1 fault; correct the lines below; nothing was touched")
        assert faults[0].startswith(f"  {fault}")


def test_a_named_overlay_that_is_not_there(write: Write, tmp_path: Path) -> None:
    write(H100 + 'stack = {"overlay": "rows.yaml"}\n')
    result = run("stack", "check", "fleet.py")
    assert (result.exit_code, result.stderr) == (
        2,
        f"gpufleet: stack.overlay: expected a file, found no {tmp_path}/rows.yaml; "
        "correct stack.overlay: it is relative to the inventory\n",
    )


def test_upgrade_path_says_what_moves_together() -> None:
    result = run("stack", "upgrade-path", "570", "580", "--nvswitches", "4")
    lines = result.stdout.splitlines()
    assert (result.exit_code, lines[1]) == (0, "moves together:")
    assert lines[0].endswith(" on ubuntu-24.04 x86_64, 1 x H100 SXM5 80GB (2330), 4 NVSwitches, bare-metal")
    assert [line.split(":")[0].strip() for line in lines if line.endswith("(names change)")] == [
        "driver",
        "persistenced",
        "nscq",
        "fabric_manager",
        "dcgm",
    ]
    assert lines[-1] == "reboot: none, once nothing uses the GPUs: the modules can be exchanged"


def test_upgrade_path_for_programs() -> None:
    result = run("stack", "upgrade-path", "570", "580", "--os", "rocky-9", "--json")
    document = json.loads(result.stdout)
    assert (result.exit_code, document["ok"], document["verdicts"], document["reboots"]) == (0, True, [], [])
    assert document["machine"]["system"] == {"id": "rocky", "version": "9", "arch": "x86_64"}
    assert {move["component"] for move in document["moves"]} >= {"driver", "persistenced"}


def test_a_way_that_the_hardware_forbids() -> None:
    result = run("stack", "upgrade-path", "580", "590", "--gpu", "Tesla V100 SXM2 32GB")
    first, verdict = result.stdout.splitlines()
    assert (result.exit_code, first) == (
        2,
        "driver 580 to 590 on ubuntu-24.04 x86_64, 1 x Tesla V100 SXM2 32GB (1db5), bare-metal",
    )
    assert verdict.startswith(
        "  error: driver: expected branch 580 or older for GPU 10de:1db5 (Volta), found branch 590;"
    )


def test_a_way_on_a_machine_that_does_not_exist() -> None:
    result = run("stack", "upgrade-path", "580", "590", "--os", "ubunto-24.04", "--gpu", "H900")
    assert (result.exit_code, result.stdout, result.stderr) == (
        2,
        "",
        "gpufleet: stack upgrade-path: expected no faults, found 2 faults; "
        "correct the lines below; nothing was touched\n"
        "  machine.os: expected a distribution and a version such as ubuntu-24.04, found 'ubunto-24.04'; "
        "did you mean ubuntu-24.04?\n"
        "  machine.gpus: expected a data-center GPU's name or PCI device id, found 'H900'; did you mean H800?\n",
    )
