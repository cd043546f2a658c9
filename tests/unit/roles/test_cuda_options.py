"""Options of the roles cuda and nccl that are refused, in their own words."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from gpufleet.operations.files import render
from roles.cuda.options import Cuda
from roles.nccl.options import Nccl


def refusals(options: Any, data: dict[str, Any]) -> list[str]:
    with pytest.raises(ValidationError) as refused:
        options.model_validate(data)
    return [error["msg"].removeprefix("Value error, ") for error in refused.value.errors()]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"toolkits": ["12"]}, "expected a toolkit's version, found '12'; write it like 12.9 or 12.9.1"),
        (
            {"toolkits": ["12.9", "12.9.1"]},
            "expected each toolkit once, found 12.9 again; take one of them out",
        ),
        (
            {"toolkits": ["12.9"], "default": "13.0"},
            "expected a default among the toolkits (12.9), found 13.0; add it or choose one of them",
        ),
        (
            {"default": "13.0"},
            "expected a default among the toolkits (no toolkits), found 13.0; add it or choose one of them",
        ),
        ({"compat": True}, "expected toolkits beside compat, found none; add one or leave compat out"),
    ],
)
def test_cuda(data: dict[str, Any], message: str) -> None:
    assert refusals(Cuda, data) == [message]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"version": "2.28"}, "expected auto or an exact version, found '2.28'; write it like 2.28.3"),
        (
            {"settings": {"NCCL_DEBUG": "INFO", "NCCL_IB_TIMEOUT": 99}},
            "NCCL_DEBUG is for one run of one job and never kept for all; set it in that job's environment. Also: "
            "NCCL_IB_TIMEOUT: expected an integer from 1 to 31, found 99; correct it",
        ),
        ({"workarounds": {"NCCL_IB_SL": 1}}, "NCCL_IB_SL is a setting of the system; put it in settings"),
        ({"extra": {"NCCL_IB_SL": 1}}, "NCCL_IB_SL is known; put it in settings"),
        (
            {"topology": "/nowhere/topo.xml"},
            "expected a file with an element <system>, found none at /nowhere/topo.xml; correct the path",
        ),
        (
            {"tests": {"url": "https://example.org/x.tar.gz"}},
            "expected a sha256 of 64 hexadecimal digits beside the URL, found none; add it",
        ),
    ],
)
def test_nccl(data: dict[str, Any], message: str) -> None:
    assert refusals(Nccl, data) == [message]


def test_two_topologies(tmp_path: Path) -> None:
    (tmp_path / "topo.xml").write_text('<system version="1"/>')
    data = {"topology": str(tmp_path / "topo.xml"), "settings": {"NCCL_TOPO_FILE": "/opt/topo.xml"}}
    assert refusals(Nccl, data) == ["expected topology or NCCL_TOPO_FILE, found both; take one of them out"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/usr/bin:/bin", "/usr/bin:/bin:/usr/local/cuda/bin"),
        ("/usr/local/cuda/bin:/usr/bin", "/usr/local/cuda/bin:/usr/bin"),
        ("/usr/local/cuda/bin", "/usr/local/cuda/bin"),
        ("", "/usr/local/cuda/bin"),
    ],
)
def test_the_profile_appends_once(path: str, expected: str) -> None:
    script = f"PATH='{path}'; for i in 1 2; do {render('etc/profile.d/cuda.sh')}\ndone; echo \"$PATH $CUDA_HOME\""
    found = subprocess.run(["/bin/sh", "-eu", "-c", script], capture_output=True, text=True, check=True, env={})
    assert (found.stdout, found.stderr) == (f"{expected} /usr/local/cuda\n", "")


def test_nothing_is_wished_for_where_nothing_is_wanted() -> None:
    assert Cuda.model_validate({"source": "nvidia"}).wish() == {}
    assert Nccl.model_validate({"version": None}).wish() == {}
    assert Nccl.model_validate({"state": "absent"}).wish() == {}
