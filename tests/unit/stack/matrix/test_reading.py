"""Malformed rows, subjects and files: whole lines, all of them at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gpufleet.errors import FaultsFoundError
from gpufleet.stack.matrix.loader import load_from
from gpufleet.stack.matrix.reading import SUBJECTS
from tests.unit.stack.matrix.valid import VALID, row, scheme, write

MAJOR = VALID["cuda_majors"][0]

CASES: dict[str, tuple[Any, list[str]]] = {
    "no mapping": (
        ["branches"],
        [f"m.yaml: holds no mapping of subjects to rows; begin with one of: {', '.join(SUBJECTS)}"],
    ),
    "misspelled subject": (
        {"brunches": []},
        ["m.yaml: there is no subject brunches; did you mean branches?"],
    ),
    "unknown subject": (
        {"weather": []},
        [f"m.yaml: there is no subject weather; known subjects: {', '.join(sorted(SUBJECTS))}"],
    ),
    "no list": ({"nccl": {"version": "2.28.3"}}, ["m.yaml: nccl: is no list of rows; write each row after a hyphen"]),
    "no row": ({"nccl": ["2.28.3"]}, ["m.yaml: nccl 1: is no mapping; write its fields as `name: value`"]),
    "missing source and date": (
        {"cuda_majors": [{"major": 12, "floor": 525}]},
        [
            "m.yaml: cuda major 12: source is missing; "
            "name the document and section, or the address, that states it",
            "m.yaml: cuda major 12: date is missing; give the day that the source was published or read",
        ],
    ),
    "empty source": (
        {"cuda_majors": [MAJOR | {"source": " "}]},
        [
            "m.yaml: cuda major 12: source: string should have at least 1 character, found ' '; correct it",
        ],
    ),
    "a source that is no text": (
        {"sources": {"guide": {"source": "the guide", "date": "2026-05-21"}},
         "cuda_majors": [MAJOR | {"source": ["guide"]}]},
        ["m.yaml: cuda major 12: source: input should be a valid string, found ['guide']; correct it"],
    ),
    "a release that is no version": (
        {"kernels": [row(branches="580", oldest="4.15", from_release="newest")]},
        [
            "m.yaml: kernels no. 1: from_release: string should match pattern '^(\\d+(\\.\\d+)*)?$', found 'newest'; "
            "correct it"
        ],
    ),
    "misspelled field": (
        {"cuda_majors": [MAJOR | {"flor": 525}]},
        ["m.yaml: cuda major 12: there is no field flor; did you mean floor?"],
    ),
    "missing field and key": (
        {"cuda_majors": [row(floor=525)]},
        ["m.yaml: cuda major no. 1: major is missing; add major"],
    ),
    "a version that YAML read as a number": (
        {"nccl": [row(version="2.28.3", cuda=12.9, minimum_branch=525)]},
        ["m.yaml: nccl no. 1: cuda: input should be a valid string, found 12.9; correct it"],
    ),
    "a branch range in words": (
        {"schemes": [scheme(branches="from 580")]},
        [
            "m.yaml: scheme no. 1: branches: input should be a valid dictionary or instance of Branches, "
            "found 'from 580'; correct it",
        ],
    ),
    "the file set by hand": (
        {"cuda_majors": [MAJOR | {"file": "other.yaml"}]},
        ["m.yaml: cuda major 12: there is no field file; known fields: date, floor, major, note, source, verified, "
         "window_end"],
    ),
    "a source without a date": (
        {"sources": {"guide": {"source": "the guide"}}},
        ["m.yaml: sources guide: is not of source and date; give both and no more"],
    ),
    "sources as a list": (
        {"sources": ["guide"]},
        ["m.yaml: sources: is no mapping of names to sources; write `name: {source, date}`"],
    ),
    "several at once": (
        {"nccl": ["2.28.3"], "cuda_majors": [MAJOR | {"flor": 525}]},
        [
            "m.yaml: cuda major 12: there is no field flor; did you mean floor?",
            "m.yaml: nccl 1: is no mapping; write its fields as `name: value`",
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("content", "lines"), CASES.values(), ids=CASES)
def test_a_malformed_file_is_refused(tmp_path: Path, content: Any, lines: list[str]) -> None:
    with pytest.raises(FaultsFoundError) as error:
        load_from([write(tmp_path / "m.yaml", content)])
    assert [str(fault) for fault in error.value.faults] == lines


def test_what_is_not_yaml_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "m.yaml"
    file.write_text("branches: [", encoding="utf-8")
    with pytest.raises(FaultsFoundError) as error:
        load_from([file])
    assert [str(fault) for fault in error.value.faults] == [
        "m.yaml: is not YAML: while parsing a flow node expected the node content, but found '<stream end>' in "
        '"<unicode string>", line 1, column 12: branches: [ ^; correct it'
    ]


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FaultsFoundError) as error:
        load_from([tmp_path / "m.yaml"])
    assert [str(fault) for fault in error.value.faults] == [
        f"m.yaml: cannot be read: [Errno 2] No such file or directory: '{tmp_path}/m.yaml'; give a readable YAML file"
    ]


def test_a_named_source_gives_its_text_and_date(tmp_path: Path) -> None:
    named = {"sources": {"guide": {"source": "the guide, section 2", "date": "2026-05-21"}}}
    rows = {"cuda_majors": [{"major": 13, "floor": 580, "source": "guide"}]}
    matrix = load_from([write(tmp_path / "m.yaml", named | rows)])
    found = matrix.cuda_major(13)
    assert found
    assert (found.source, str(found.date)) == ("the guide, section 2", "2026-05-21")
