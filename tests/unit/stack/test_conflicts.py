"""What `gpufleet stack check` prints of judgments, and how it ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from gpufleet.facts.machine import HostMachine
from gpufleet.stack import conflicts
from gpufleet.stack.host.judging import Judgment
from gpufleet.stack.machine import Hardware, System
from gpufleet.stack.review import Review
from gpufleet.stack.verdicts import Verdict
from gpufleet.stack.wish import Wish

WISH, NOTHING = Wish.model_validate({"driver": "570", "cuda": ["13.0"]}), Wish.model_validate({})
MACHINE = HostMachine(System("ubuntu", "24.04"), Hardware(("2330",)))
ERROR = Verdict("error", "cuda", "driver 580 or newer", "570.195.03", "upgrade the driver", "cuda 13.0", "a table")
WARNING = Verdict("warning", "driver", "a living branch", "535", "leave it", "branch 535", "a list")
NOTE = Verdict("note", "nccl", "one build", "two", "nothing to do", "nccl 2.28", "a page")

FITS = Judgment(WISH, MACHINE)
BAD = Judgment(WISH, MACHINE, (WARNING, ERROR))
SUSPECT = Judgment(WISH, MACHINE, (WARNING, NOTE))
UNKNOWN = Judgment(WISH, None, unknown=("os", "gpus"))
IDLE = Judgment(NOTHING, None, unknown=("os", "gpus"))

Judged = Mapping[Judgment, Sequence[str]]


@pytest.mark.parametrize(
    ("judged", "silent", "loose", "strict"),
    [
        ({FITS: ["a"]}, {}, 0, 0),
        ({SUSPECT: ["a"]}, {}, 0, 0),
        ({BAD: ["a"], FITS: ["b"]}, {}, 2, 2),
        ({FITS: ["a"], UNKNOWN: ["b"]}, {}, 0, 2),
        ({UNKNOWN: ["b"]}, {}, 2, 2),
        ({IDLE: ["b"]}, {}, 0, 0),
        ({FITS: ["a"]}, {"b": "no answer"}, 1, 1),
        ({BAD: ["a"]}, {"b": "no answer"}, 2, 2),
        ({}, {"b": "no answer"}, 1, 1),
    ],
)
def test_exit_codes(judged: Judged, silent: Mapping[str, str], loose: int, strict: int) -> None:
    review = Review(judged, silent)
    assert [conflicts.exit_code(review, strict=kind) for kind in (False, True)] == [loose, strict]


def test_everything_is_said_errors_first_and_hosts_folded() -> None:
    judged = {SUSPECT: ["old-1"], BAD: ["gpu-01", "gpu-02", "gpu-03"], UNKNOWN: ["new-1", "new-2"], FITS: ["ok-1"]}
    assert list(conflicts.lines(Review(judged, {"far-1": "no route"}))) == [
        "hosts               level    about   row",
        "gpu-[01-03]         error    cuda    cuda 13.0",
        "gpu-[01-03], old-1  warning  driver  branch 535",
        "old-1               note     nccl    nccl 2.28",
        "gpu-[01-03]: error: cuda: expected driver 580 or newer, found 570.195.03; upgrade the driver "
        "(row cuda 13.0; a table)",
        "gpu-[01-03], old-1: warning: driver: expected a living branch, found 535; leave it (row branch 535; a list)",
        "old-1: note: nccl: expected one build, found two; nothing to do (row nccl 2.28; a page)",
        "new-[1-2]: not checked: machine.os and machine.gpus are not both declared; "
        "declare it, or ask the hosts with --facts",
        "far-1: not checked: no route",
        "5 hosts checked: 1 conflict, 1 warning, 1 note; 3 hosts not checked",
    ]


def test_nothing_wrong_is_one_line() -> None:
    assert list(conflicts.lines(Review({FITS: ["a", "b"]}, {}))) == ["2 hosts checked: everything fits"]


def test_nothing_checked_is_not_said_to_fit() -> None:
    assert conflicts.total(Review({UNKNOWN: ["a"]}, {})) == "0 hosts checked: nothing was checked; 1 host not checked"


def test_the_same_for_programs() -> None:
    judged = {BAD: ["gpu-1", "gpu-2"], UNKNOWN: ["new-1"]}
    document = conflicts.document(Review(judged, {"far-1": "no route"}), strict=False)
    assert (document["ok"], document["checked"]) == (False, 2)
    assert document["verdicts"][0] == {
        "level": "error",
        "where": "cuda",
        "expected": "driver 580 or newer",
        "found": "570.195.03",
        "cure": "upgrade the driver",
        "row": "cuda 13.0",
        "source": "a table",
        "hosts": ["gpu-1", "gpu-2"],
    }
    assert document["not_checked"] == {
        "new-1": "machine.os and machine.gpus are not both declared",
        "far-1": "no route",
    }
