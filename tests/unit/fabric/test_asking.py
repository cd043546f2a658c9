"""What a host says of the fabric: all of it, parts of it, none of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpufleet.errors import GpufleetError, HostError
from gpufleet.fabric import asking, compare, planes
from gpufleet.fabric.managers import Manager
from gpufleet.health.probe import Section
from gpufleet.inventory.hosts import InventoryHost
from tests.unit.fabric.small import PLAN, case, planned


def sections(**changed: str) -> dict[str, Section]:
    up = "\n".join(line for line in case("iblinkinfo").splitlines() if "Active/  LinkUp" not in line)
    texts = {
        "topology": case("ibnetdiscover"), "states": f"{up}\n# iblinkinfo ended with 0",
        "errors": case("ibqueryerrors"), "managers": case("managers"),
    }  # fmt: skip
    return {f"{name} mlx5_0": Section(name, text, 0) for name, text in (texts | changed).items()}


def heard(**changed: str) -> asking.Heard:
    return asking.heard("gpu-01", ["mlx5_0"], sections(**changed), 100.0)


def findings(folder: Path, **changed: str) -> list[str]:
    said = heard(**changed)
    return [str(finding) for finding in compare.check(planned(folder), said.found, said.answers).findings]


def test_a_healthy_fabric(tmp_path: Path) -> None:
    said = heard()
    assert findings(tmp_path) == []
    assert said.reading is not None
    assert (said.reading.time, len(said.reading.counts)) == (100.0, 3)
    assert said.answers.managers == {"gpu-01 mlx5_0": [Manager(0x100001, 14, 3), Manager(0x100005, 5, 2)]}
    assert said.answers.states[0x200001, 3] == "Down/Polling"
    assert said.answers.notes == ()


def test_the_state_of_a_port_is_told_with_its_missing_cable(tmp_path: Path) -> None:
    lines = case("ibnetdiscover").splitlines()
    cut = "\n".join(line for line in lines if not (line.startswith("[2]") and "gpu-02 mlx5_1" in line))
    gone = "\n".join(cut.split('Ca\t1 "H-0000000000100006"')[0].splitlines()) + cut.split("100006\n")[-1]
    text = "\n".join(line for line in gone.splitlines() if "[1](100007)" not in line)
    down = (
        '0x0000000000200001 "leaf-02"  3    2[  ] ==(   Disabled/Disabled)==>  [  ] "" ( )\n# iblinkinfo ended with 0'
    )
    assert findings(tmp_path, topology=text, states=down) == [
        "missing: leaf-02/2 - gpu-02 mlx5_1/1: expected this cable, found nothing at leaf-02/2 (Disabled/Disabled); "
        "nothing at gpu-02 mlx5_1/1; plug it in, or replace it"
    ]


def test_a_link_that_no_manager_brought_up(tmp_path: Path) -> None:
    line = '0x0000000000200001 "leaf-02"  3    2[  ] ==( 4X  2.5 Gbps   Init/  LinkUp)==>  0x100007 "gpu-02 mlx5_1" ( )'
    states = f"{line}\n# iblinkinfo ended with 0"
    assert findings(tmp_path, states=states) == [
        "not active: leaf-02/2 - gpu-02 mlx5_1/1: expected Active/LinkUp, found Init/LinkUp; "
        "read the log of the subnet manager"
    ]
    assert [line.partition(":")[0] for line in findings(tmp_path, states=states, managers="")] == ["subnet manager"]


def test_what_could_not_be_read_is_said() -> None:
    said = heard(errors="Query SA failed: Connection timed out", states="# iblinkinfo ended with 1")
    assert said.reading is None
    assert said.answers.notes == (
        "gpu-01 mlx5_0: states of ports not checked: iblinkinfo did not come to its end (# iblinkinfo ended with 1)",
        "gpu-01 mlx5_0: counters not checked: ibqueryerrors did not come to its end "
        "(Query SA failed: Connection timed out)",
    )


def test_no_cabling_is_the_hosts_error() -> None:
    broken = sections() | {"topology mlx5_0": Section("topology", "", 127, "sh: 1: ibnetdiscover: not found")}
    with pytest.raises(HostError) as caught:
        asking.heard("gpu-01", ["mlx5_0"], broken, 0.0)
    assert str(caught.value) == (
        "gpu-01 mlx5_0: expected ibnetdiscover to list the fabric, found exit status 127: "
        "sh: 1: ibnetdiscover: not found; install infiniband-diags there, and see that the device is up with `ibstat`"
    )


def test_a_host_that_ssh_does_not_reach() -> None:
    with pytest.raises(HostError) as caught:
        asking.heard_from(InventoryHost("@local", "local", (), {}), ["mlx5_0"])
    assert str(caught.value) == (
        "@local: expected a host that is reached by SSH, found the connector local; "
        "name another one with --host, or a saved file with --from"
    )


def test_each_separate_part_of_a_fabric_is_looked_at_once(tmp_path: Path) -> None:
    whole = planned(tmp_path)
    apart = planned(tmp_path, PLAN.replace(", 7: spine-01/2", ""))
    assert planes.devices_to_ask(whole, "gpu-02") == ["mlx5_0"]
    assert planes.devices_to_ask(apart, "gpu-02") == ["mlx5_0", "mlx5_1"]
    assert (planes.host_to_ask(whole, None), planes.host_to_ask(whole, "gpu-02")) == ("gpu-01", "gpu-02")
    with pytest.raises(GpufleetError) as caught:
        planes.host_to_ask(whole, "gpu-99")
    assert str(caught.value) == "--host: expected a host of the plan, found gpu-99; did you mean gpu-02?"
