"""`gpufleet fabric` from the command line: what it prints, what it writes, how it ends."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from gpufleet import cli
from gpufleet.fabric import asking, command, report
from gpufleet.fabric.answers import Answers
from gpufleet.fabric.counters import Reading
from gpufleet.fabric.findings import Finding, Report
from tests.unit.fabric.small import PLAN, case, found

SVG = "{http://www.w3.org/2000/svg}"
SLOW = "leaf-01/1 - gpu-01 mlx5_0/1"
HEALTHY = "2 hosts, 3 switches, 6 cables planned, 6 links found: no findings"
NOTE = "note: not in a saved file, so not checked: counters, states of ports that are down, subnet managers"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli.app, arguments, prog_name="gpufleet")


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GPUFLEET_STATE_DIR", str(tmp_path / "state"))
    Path("fleet.py").write_text('gpu = ["gpu-01", "gpu-02"]\n')
    Path("fabric.yaml").write_text(PLAN)
    Path("net.txt").write_text(case("ibnetdiscover"))


def test_a_healthy_fabric_ends_with_0() -> None:
    result = run("fabric", "check", "fleet.py", "--from", "net.txt")
    assert (result.exit_code, result.stdout.splitlines()) == (0, [NOTE, HEALTHY])


def test_findings_end_with_1() -> None:
    Path("fabric.yaml").write_text(f"{PLAN}overrides: {{leaf-01/1: {{speed: DDR}}}}\n")
    result = run("fabric", "check", "fleet.py", "--from", "net.txt", "--svg", "net.svg")
    assert (result.exit_code, result.stdout.splitlines()[0]) == (
        1,
        f"slow: {SLOW}: expected 4x DDR, found 4x SDR; reseat or replace the cable, then read both ports' settings",
    )
    assert result.stdout.splitlines()[-1] == HEALTHY.replace("no findings", "1 finding")
    drawn = ElementTree.parse("net.svg").getroot()
    assert [line.findtext(f"{SVG}title") for line in drawn.iter(f"{SVG}line") if line.get("class") == "bad"] == [
        result.stdout.splitlines()[0]
    ]


def test_as_json() -> None:
    Path("fabric.yaml").write_text(f"{PLAN}overrides: {{leaf-01/1: {{speed: DDR}}}}\n")
    result = run("fabric", "check", "fleet.py", "--from", "net.txt", "--json")
    document = json.loads(result.stdout)
    assert result.exit_code == 1
    assert document == {
        "inventory": "fleet.py",
        "plan": str(Path.cwd() / "fabric.yaml"),
        "from": "net.txt",
        "ok": False,
        "sizes": {"hosts": 2, "switches": 3, "cables": 6, "links": 6},
        "findings": [
            {
                "kind": "slow", "where": SLOW, "expected": "4x DDR", "found": "4x SDR",
                "cure": "reseat or replace the cable, then read both ports' settings",
                "planned": [["leaf-01/1", "gpu-01 mlx5_0/1"]], "built": [], "nodes": [],
            }
        ],
        "notes": [NOTE.removeprefix("note: ")],
    }  # fmt: skip


def test_a_terminal_gets_a_table() -> None:
    finding = Finding("slow", SLOW, "4x DDR", "4x SDR", "reseat it")
    console = Console(width=200, force_terminal=True, record=True, file=StringIO())
    report.show(Report((finding,), ("a note",), {"hosts": 2, "switches": 1, "cables": 6, "links": 6}), console)
    text = console.export_text()
    assert f"slow    │ {SLOW} │ 4x DDR   │ 4x SDR │ reseat it" in text
    assert text.endswith("note: a note\n2 hosts, 1 switch, 6 cables planned, 6 links found: 1 finding\n")


REFUSED = [
    (["check", "fleet.py", "--from", "absent.txt"],
     "absent.txt: expected a saved output of ibnetdiscover, found no such file; "
     "save the output of `ibnetdiscover` on a host of the fabric"),
    (["check", "fleet.py", "--from", "fleet.py"],
     "fleet.py: expected the text of ibnetdiscover, found no node in it; save the output of `ibnetdiscover`"),
    (["check", "fleet.py", "--from", "net.txt", "--host", "gpu-01"],
     "--host: expected either --host or --from, found both; leave one out"),
    (["check", "fleet.py", "--host", "gpu-1"],
     "--host: expected a host of the plan, found gpu-1; did you mean gpu-01?"),
    (["check", "fleet.py", "--from", "net.txt", "--svg", "no/such.svg"],
     "no/such.svg: expected a file in a directory, found no such directory; create it"),
    (["import", "net.txt", "--out", "fabric.yaml"],
     "--out: expected a file that does not exist, found fabric.yaml; name a new file, then compare the two"),
    (["draw", "absent.py", "net.svg"],
     "absent.py: expected an inventory file, found no such file; name a file such as inventories/metal.py"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "message"), REFUSED, ids=[" ".join(row[0]) for row in REFUSED])
def test_wrong_requests_end_with_2(arguments: list[str], message: str) -> None:
    result = run("fabric", *arguments)
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", f"gpufleet: {message}\n")


def test_a_host_of_the_plan_that_the_inventory_has_not() -> None:
    Path("fleet.py").write_text('gpu = ["gpu-01"]\n')
    result = run("fabric", "check", "fleet.py", "--from", "net.txt")
    assert (result.exit_code, result.stderr) == (
        2,
        f"gpufleet: {Path.cwd()}/fabric.yaml: expected no faults, found 1 fault; correct the lines below; "
        "nothing was touched\n"
        "  gpu-02: hosts: not in the inventory; add it to the inventory, or take it out of the plan\n",
    )


def test_an_import_is_a_plan_that_agrees_with_what_it_was_made_of() -> None:
    assert run("fabric", "import", "net.txt", "-o", "new.yaml").exit_code == 0
    Path("new.yaml").replace("fabric.yaml")
    assert run("fabric", "check", "fleet.py", "--from", "net.txt").exit_code == 0


IMPORTED = """\
speed: SDR
width: 4x
switches:
  leaf-02: {role: leaf, rail: 2, ports: 8, guid: 0x0000000000200001}
  spine-01: {role: spine, ports: 8, guid: 0x0000000000200002}
  leaf-01: {role: leaf, rail: 1, ports: 8, guid: 0x0000000000200000}
hosts:
  gpu-01: {mlx5_0: {rail: 1, guid: 0x0000000000100000}, mlx5_1: {rail: 2, guid: 0x0000000000100002}}
  gpu-02: {mlx5_0: {rail: 1, guid: 0x0000000000100004}, mlx5_1: {rail: 2, guid: 0x0000000000100006}}
"""


def test_an_import_is_printed_with_what_could_not_be_inferred() -> None:
    result = run("fabric", "import", "net.txt")
    assert result.stdout.startswith(IMPORTED)
    Path("net.txt").write_text(
        case("ibnetdiscover").replace('"gpu-02 mlx5_1"', '"MT4129 ConnectX7   Mellanox Technologies"')
    )
    result = run("fabric", "import", "net.txt")
    assert result.stdout.splitlines()[0] == (
        "# 0x0000000000100006 calls itself 'MT4129 ConnectX7   Mellanox Technologies', which is no name of its own: "
        "written as host-0000000000100006 device"
    )


def test_counters_are_told_from_the_second_check_on(monkeypatch: pytest.MonkeyPatch) -> None:
    readings = iter([Reading(0, {}), Reading(3600, {"0x0000000000200000/1": {"LinkDownedCounter": 2}})])
    monkeypatch.setattr(asking, "heard_from", lambda host, devices: asking.Heard(found(), Answers(), next(readings)))
    first = run("fabric", "check", "fleet.py")
    assert (first.exit_code, first.stdout.splitlines()) == (0, [f"note: {command._FIRST}", HEALTHY])
    second = run("fabric", "check", "fleet.py", "--host", "gpu-02")
    assert (second.exit_code, second.stdout.splitlines()[0]) == (
        1,
        f"errors: {SLOW}: expected at most 0 LinkDownedCounter an hour, found 2 in the last hour at leaf-01/1 "
        "(times the link went down); clean or replace the cable",
    )
