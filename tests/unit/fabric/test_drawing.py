"""The drawing: what is above what, what is red, and that a large one is valid too."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner, Result

from gpufleet import cli
from tests.support.fabrics import two_tier
from tests.unit.fabric.small import PLAN

SVG = "{http://www.w3.org/2000/svg}"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli.app, arguments, prog_name="gpufleet")


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("fleet.py").write_text('gpu = ["gpu-01", "gpu-02"]\n')
    Path("fabric.yaml").write_text(PLAN)


def test_the_drawing_of_a_plan() -> None:
    assert run("fabric", "draw", "fleet.py", "net.svg").exit_code == 0
    drawn = ElementTree.parse("net.svg").getroot()
    texts = {element.text: float(element.get("y", 0)) for element in drawn.iter(f"{SVG}text")}
    assert (
        texts["spine-01"] < texts["leaf-01 (rail 1)"] == texts["leaf-02 (rail 2)"] < texts["gpu-01"] == texts["gpu-02"]
    )
    assert len(list(drawn.iter(f"{SVG}line"))) == 6


def test_the_drawing_of_a_thousand_hosts_is_valid() -> None:
    fabric = two_tier(1000, 2)
    Path("fleet.py").write_text(f"gpu = {fabric.hosts()!r}\n")
    Path("fabric.yaml").write_text("".join(fabric.plan()))
    assert run("fabric", "draw", "fleet.py", "net.svg").exit_code == 0
    tags = Counter(element.tag.removeprefix(SVG) for element in ElementTree.parse("net.svg").getroot().iter())
    assert (tags["line"], tags["rect"]) == (len(fabric.cables), 1 + 1000 + len(fabric.switches))


def test_no_cable_hides_another_and_all_are_inside_the_drawing() -> None:
    fabric = two_tier(8, 2, down=4, up=2, radix=8)
    Path("fleet.py").write_text(f"gpu = {fabric.hosts()!r}\n")
    Path("fabric.yaml").write_text("".join(fabric.plan()))
    fabric.cables[0], fabric.cables[1] = (
        fabric.cables[0]._replace(b=fabric.cables[1].b),
        fabric.cables[1]._replace(b=fabric.cables[0].b),
    )
    Path("net.txt").write_text("".join(fabric.text()))
    assert run("fabric", "check", "fleet.py", "--from", "net.txt", "--svg", "net.svg").exit_code == 1
    drawn = ElementTree.parse("net.svg").getroot()
    lines = list(drawn.iter(f"{SVG}line"))
    assert [row.text for row in drawn.iter(f"{SVG}text") if row.get("class") == "number"] == ["1"] * 4
    (place,) = [row.text for row in drawn.iter(f"{SVG}text") if (row.text or "").startswith("1 ")]
    assert place == f"1  swapped: {fabric.cables[0].a} - gpu-1 mlx5_0/1 and {fabric.cables[1].a} - gpu-1 mlx5_1/1"
    places = Counter(tuple(int(line.get(name, "-1")) for name in ("x1", "y1", "x2", "y2")) for line in lines)
    assert max(places.values()) == 1
    assert Counter(line.get("class") for line in lines) == {None: len(fabric.cables) - 2, "bad gone": 2, "bad": 2}
    width, height = int(drawn.get("width", 0)), int(drawn.get("height", 0))
    assert [p for p in places if not (0 < p[0] < width > p[2] > 0 and 0 < p[1] < p[3] < height)] == []


@pytest.mark.parametrize(("hosts", "upright"), [(8, False), (40, True)])
def test_hosts_of_a_wide_drawing_stand_upright_side_by_side(hosts: int, upright: bool) -> None:
    fabric = two_tier(hosts, 2, down=20, up=4)
    Path("fleet.py").write_text(f"gpu = {fabric.hosts()!r}\n")
    Path("fabric.yaml").write_text("".join(fabric.plan()))
    assert run("fabric", "draw", "fleet.py", "net.svg").exit_code == 0
    drawn = ElementTree.parse("net.svg").getroot()
    groups = [(group.findtext(f"{SVG}text"), group.find(f"{SVG}rect"), group.find(f"{SVG}text")) for group in drawn]
    boxes = {name: (rect, text) for name, rect, text in groups if name and rect is not None and text is not None}
    rows = [boxes[name] for name in fabric.hosts()]
    assert [text.get("transform", "").startswith("rotate(-90") for _, text in rows] == [upright] * hosts
    edges = [(int(rect.get("x", 0)), int(rect.get("width", 0))) for rect, _ in rows]
    assert [x for (x, width), (after, _) in pairwise(edges) if x + width > after] == []
    assert int(drawn.get("width", 0)) < 1650
