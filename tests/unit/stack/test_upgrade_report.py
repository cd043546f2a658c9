"""The way from one driver to another in lines."""

from __future__ import annotations

from gpufleet.facts.machine import HostMachine
from gpufleet.stack import upgrade_report
from gpufleet.stack.machine import Hardware, System
from gpufleet.stack.upgrade_path import Move, Path, Step
from gpufleet.stack.verdicts import Verdict

MACHINE = HostMachine(System("ubuntu", "24.04"), Hardware(("2330",)))
MOVES = (
    Move("driver", ("nvidia-utils-570 570.1",), ("nvidia-utils-580 580.1",)),
    Move("dcgm", ("dcgm 4.1",), ("dcgm 4.2",)),
    Move("imex", (), ("nvidia-imex 580.1",)),
)
WARNING = Verdict("warning", "driver", "a living branch", "570", "go on", "branch 570", "a list")


def test_lines() -> None:
    path = Path(
        "570.1", "580.1", MOVES, (Step("drain", "jobs"), Step("install", "it")), ("coherent", "old"), (WARNING,)
    )
    assert list(upgrade_report.lines(path, MACHINE)) == [
        "driver 570.1 to 580.1 on ubuntu-24.04 x86_64, 1 x H100 SXM5 80GB (2330), bare-metal",
        "  warning: driver: expected a living branch, found 570; go on (row branch 570; a list)",
        "moves together:",
        "  driver: nvidia-utils-570 570.1 -> nvidia-utils-580 580.1 (names change)",
        "  dcgm: dcgm 4.1 -> dcgm 4.2",
        "  imex: nothing -> nvidia-imex 580.1",
        "steps:",
        "  1. drain (jobs)",
        "  2. install (it)",
        "reboot: coherent; old",
    ]
    assert upgrade_report.exit_code(path) == 0


def test_to_where_it_is_already() -> None:
    assert list(upgrade_report.lines(Path("570.1", "570.1", verdicts=(WARNING,)), MACHINE)) == [
        "driver 570.1 to 570.1 on ubuntu-24.04 x86_64, 1 x H100 SXM5 80GB (2330), bare-metal",
        "  warning: driver: expected a living branch, found 570; go on (row branch 570; a list)",
        "nothing moves",
    ]


def test_a_way_that_is_forbidden() -> None:
    error = Verdict("error", "driver", "a branch", "abc", "write one", "rule versions", "a list")
    path = Path("570", "abc", verdicts=(error,))
    assert list(upgrade_report.lines(path, MACHINE)) == [
        "driver 570 to abc on ubuntu-24.04 x86_64, 1 x H100 SXM5 80GB (2330), bare-metal",
        "  error: driver: expected a branch, found abc; write one (row rule versions; a list)",
    ]
    assert upgrade_report.exit_code(path) == 2


def test_the_same_for_programs() -> None:
    document = upgrade_report.document(Path("570.1", "580.1", MOVES), MACHINE)
    assert [(move["component"], move["renamed"]) for move in document["moves"]] == [
        ("driver", True),
        ("dcgm", False),
        ("imex", False),
    ]
    assert (document["ok"], document["machine"]["hardware"]["gpus"]) == (True, ("2330",))
