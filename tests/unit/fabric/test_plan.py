"""What a plan says, and every fault in it, told together."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpufleet.errors import FaultsFoundError, GpufleetError
from gpufleet.fabric import plan
from gpufleet.fabric.ports import Cable, Port
from tests.support.inventories import inventory_of

PLAN = """
speed: NDR
width: 4x
switches:
  spine-01: {role: spine}
  leaf-01: {role: leaf, rail: 1, ports: 34}
hosts:
  gpu-01: {mlx5_0: {rail: 1}}
  gpu-02: {mlx5_0: {rail: 1, guid: "0xa088c20300000010"}}
links:
  leaf-01: {1: gpu-01 mlx5_0, 2: gpu-02 mlx5_0/1, 33: spine-01/1}
overrides:
  leaf-01/33: {speed: HDR}
thresholds: {SymbolErrorCounter: 120}
"""


def load(folder: Path, text: str, *hosts: str) -> plan.Plan:
    path = folder / "fabric.yaml"
    path.write_text(text)
    return plan.load(path, hosts or None)


def refusal(folder: Path, text: str, *hosts: str) -> list[str]:
    """Lines of what is wrong, without the path of the plan."""
    with pytest.raises(GpufleetError) as caught:
        load(folder, text, *hosts)
    head, *lines = str(caught.value).replace(f"{folder}/", "").splitlines()
    assert caught.value.exit_code == 2
    if isinstance(caught.value, FaultsFoundError):
        assert head.startswith("fabric.yaml: expected no faults, found ")
        return [line.strip() for line in lines]
    return [head, *lines]


def test_a_plan(tmp_path: Path) -> None:
    found = load(tmp_path, PLAN, "gpu-01", "gpu-02")
    assert found.cables == (
        Cable(Port("leaf-01", 1), Port("gpu-01 mlx5_0", 1), "NDR", "4x"),
        Cable(Port("leaf-01", 2), Port("gpu-02 mlx5_0", 1), "NDR", "4x"),
        Cable(Port("leaf-01", 33), Port("spine-01", 1), "HDR", "4x"),
    )
    assert found.hosts == {"gpu-01": ["gpu-01 mlx5_0"], "gpu-02": ["gpu-02 mlx5_0"]}
    assert (found.switches["leaf-01"].rail, found.devices["gpu-02 mlx5_0"].guid) == (1, "0xa088c20300000010")
    assert found.thresholds == {"SymbolErrorCounter": 120}


FAULTS = [
    pytest.param("mlx5_0: {rail: 1}}", "mlx5_0: {rail: 7}}",
                 ["hosts.gpu-01.mlx5_0.rail: expected the rail of a leaf, found 7; known rails: 1"], id="unknown rail"),
    pytest.param("spine-01/1}", "spine-02/1}",
                 ["links.leaf-01.33: expected a declared switch with its port, or a declared device, found spine-02/1; "
                  "did you mean spine-01?"], id="link to a switch that is not declared"),
    pytest.param("1: gpu-01 mlx5_0,", "1: gpu-01 mlx5_1,",
                 ["links.leaf-01.1: expected a declared switch with its port, or a declared device, "
                  "found gpu-01 mlx5_1; did you mean mlx5_0?"], id="link to a device that is not declared"),
    pytest.param("links:\n", "links:\n  laef-01: {5: spine-01/5}\n",
                 ["links.laef-01: not declared; did you mean leaf-01?"], id="links of an unknown switch"),
    pytest.param("links:\n", "links:\n  spine-01: {1: gpu-02 mlx5_0}\n",
                 ["links: gpu-02 mlx5_0/1: a port used twice: spine-01/1 - gpu-02 mlx5_0/1 and "
                  "leaf-01/2 - gpu-02 mlx5_0/1; leave one of the two cables",
                  "links: spine-01/1: a port used twice: spine-01/1 - gpu-02 mlx5_0/1 and leaf-01/33 - spine-01/1; "
                  "leave one of the two cables"], id="a port used twice"),
    pytest.param("2: gpu-02", "1: gpu-02",
                 ["links.leaf-01.1: written twice (line 11); name it once"], id="a port written twice in one line"),
    pytest.param("speed: NDR\n", "speed: NRD\n",
                 ["speed: expected SDR, DDR, QDR, FDR10, FDR, EDR, HDR, NDR or XDR, found 'NRD'; choose one"],
                 id="unknown speed"),
    pytest.param("width: 4x", "width: 3x",
                 ["width: expected 1x, 2x, 4x, 8x or 12x, found '3x'; choose one"], id="unknown width"),
    pytest.param("33: spine-01/1", "35: spine-01/1",
                 ["links.leaf-01: expected a port from 1 to 34, found 35; correct it",
                  "overrides.leaf-01/33: expected a port that has a cable in links; correct it, or add the cable"],
                 id="more ports than the switch has"),
    pytest.param("role: spine}", "role: spine, rail: 1}",
                 ["switches.spine-01.rail: expected none for a spine, found 1; remove it"], id="rail of a spine"),
    pytest.param("role: spine}", "role: spine}\n  leaf-02: {role: leaf, rail: 2}",
                 [], id="a further rail is no fault"),
    pytest.param("gpu-01: {mlx5_0: {rail: 1}}", "gpu-01: {mlx5_0: {rial: 1}}",
                 ["hosts.gpu-01.mlx5_0.rial: unknown key; did you mean rail?"], id="misspelt key"),
    pytest.param("role: spine}", "role: spine, guid: \"0xa088c20300000010\"}",
                 ["hosts.gpu-02.mlx5_0.guid: 0xa088c20300000010 is the GUID of switches.spine-01 too; "
                  "correct one of them"], id="one GUID twice"),
    pytest.param("role: spine}", "role: spine, guid: a088}",
                 ["switches.spine-01.guid: expected a GUID such as 0x506b4b0300a1b2c3, found 'a088'; correct it"],
                 id="no GUID"),
    pytest.param("speed: NDR\n", "",
                 ["speed: expected a value, found none; see docs/fabric.md"], id="no usual speed"),
    pytest.param("rail: 1, ports", "rail: one, ports",
                 ["switches.leaf-01.rail: expected a valid integer, unable to parse string as an integer, "
                  "found 'one'; correct it"], id="no number"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "lines"), FAULTS)
def test_faults(tmp_path: Path, old: str, new: str, lines: list[str]) -> None:
    text = PLAN.replace(old, new, 1)
    assert text != PLAN
    if not lines:
        load(tmp_path, text)
        return
    assert refusal(tmp_path, text) == lines


def test_faults_are_told_together(tmp_path: Path) -> None:
    text = PLAN.replace("spine-01/1}", "spine-02/1}").replace("mlx5_0: {rail: 1}}", "mlx5_0: {rail: 7}}")
    assert [line.partition(":")[0] for line in refusal(tmp_path, text, "gpu-02")] == [
        "links.leaf-01.33",
        "hosts.gpu-01.mlx5_0.rail",
        "gpu-01",
    ]


def test_a_device_on_a_leaf_of_another_rail(tmp_path: Path) -> None:
    text = PLAN.replace("  spine-01:", "  leaf-02: {role: leaf, rail: 2}\n  spine-01:").replace(
        "mlx5_0: {rail: 1}}", "mlx5_0: {rail: 2}}"
    )
    assert refusal(tmp_path, text) == [
        "links.leaf-01.1: expected a device of rail 1, found gpu-01 mlx5_0 of rail 2; "
        "correct the link, or one of the rails"
    ]


def test_hosts_that_the_inventory_has_not(tmp_path: Path) -> None:
    assert refusal(tmp_path, PLAN, "login-1") == [
        "gpu-[01-02]: hosts: not in the inventory; add it to the inventory, or take it out of the plan"
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("- a\n", "fabric.yaml: expected a dictionary, found something else; see docs/fabric.md"),
        ("", "fabric.yaml: expected a dictionary, found something else; see docs/fabric.md"),
        (
            "speed: &a NDR\nwidth: *a\n",
            "width: expected plain values, found an anchor or alias (line 2); write the value itself",
        ),
    ],
)
def test_no_plan(tmp_path: Path, text: str, line: str) -> None:
    assert refusal(tmp_path, text) == [line]


def test_broken_yaml(tmp_path: Path) -> None:
    (line,) = refusal(tmp_path, "speed: {\n")
    assert line.startswith("fabric.yaml: expected YAML, found while parsing a flow node")


def test_names_stay_as_they_are_written(tmp_path: Path) -> None:
    text = PLAN.replace("gpu-01", "no").replace("gpu-02", "007")
    assert list(load(tmp_path, text).hosts) == ["no", "007"]


def test_the_plan_of_an_inventory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "east.yaml").write_text(PLAN)
    named = inventory_of({"gpu-01": {"fabric": "east.yaml"}, "gpu-02": {"fabric": "east.yaml"}})
    assert plan.of(named).path == tmp_path / "east.yaml"
    with pytest.raises(GpufleetError) as none:
        plan.of(inventory_of({"gpu-01": {}, "gpu-02": {}}))
    assert str(none.value) == (
        f"{tmp_path}/fabric.yaml: expected the plan of a fabric, found no such file; "
        "write one, or make one of what is cabled with `gpufleet fabric import`"
    )
    with pytest.raises(GpufleetError) as two:
        plan.of(inventory_of({"gpu-01": {"fabric": "east.yaml"}, "gpu-02": {"fabric": "west.yaml"}}))
    assert str(two.value) == (
        "fleet.py: expected one plan of the fabric, found east.yaml, west.yaml; name the same file for all hosts"
    )
