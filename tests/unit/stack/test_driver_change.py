"""From the driver packages a host has to those it shall have: tables of changes, and what must hold for all."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpufleet.stack import driver_names
from gpufleet.stack.driver_change import Change, change, companions, following
from gpufleet.stack.machine import Hardware, System
from gpufleet.stack.matrix import load
from gpufleet.stack.resolution import DriverChoice
from gpufleet.stack.resolve import resolve
from gpufleet.stack.wish import Wish

NOBLE, TRIXIE, ROCKY = System("ubuntu", "24.04"), System("debian", "13"), System("rocky", "9.6")
B570, B580, B590 = "570.195.03", "580.105.08", "590.48.01"


def driver(system: System, version: str, source: str = "nvidia", flavor: str = "open") -> DriverChoice:
    wish = Wish.model_validate({"driver": version, "source": source, "flavor": flavor})
    found = resolve(Hardware(gpus=("2330",)), system, wish, load()).driver
    assert found is not None
    return found


def having(chosen: DriverChoice, *also: str, mark: str = "-0ubuntu1") -> dict[str, str]:
    """What is installed where a driver is: its packages, and some that they pulled in."""
    names = [*(package.name for package in chosen.packages), *also]
    return dict.fromkeys(names, f"{chosen.version}{mark}") | {"bash": "5.2-1", "containerd": "1.7.24-1"}


def moved(system: System, installed: Mapping[str, str], wanted: DriverChoice) -> Change:
    return change(wanted, following(installed, companions(wanted, system, load())), installed)


def test_same_driver_needs_nothing() -> None:
    chosen = driver(NOBLE, B580)
    assert moved(NOBLE, having(chosen, "libnvidia-gpucomp-580"), chosen) == Change()


def test_upgrade_renames_what_carried_the_branch() -> None:
    before, after = driver(NOBLE, B570), driver(NOBLE, B580)
    moves = moved(NOBLE, having(before, "nvidia-fabricmanager-570", "libnvidia-nscq-570", "nvlsm"), after)
    assert {
        name: moves.install[name] for name in ("nvidia-fabricmanager", "libnvidia-nscq", "nvidia-dkms-580-open")
    } == (dict.fromkeys(("nvidia-fabricmanager", "libnvidia-nscq", "nvidia-dkms-580-open"), B580))
    assert {"nvidia-fabricmanager-570", "libnvidia-nscq-570", "nvidia-dkms-570-open"} <= {*moves.remove}
    assert "nvlsm" not in {*moves.install, *moves.remove}


def test_suffix_is_dropped_at_590() -> None:
    before, after = driver(NOBLE, B580), driver(NOBLE, B590)
    moves = moved(NOBLE, having(before, "libnvidia-gpucomp-580", "nvidia-imex"), after)
    assert {"libnvidia-compute-580", "nvidia-dkms-580-open", "libnvidia-gpucomp-580"} <= {*moves.remove}
    assert moves.install["nvidia-imex"] == B590


def test_flavor_switch_removes_the_other_module_alone() -> None:
    before, after = driver(NOBLE, B580), driver(NOBLE, B580, flavor="proprietary")
    moves = moved(NOBLE, having(before), after)
    assert (moves.remove, moves.along) == (("nvidia-dkms-580-open",), ())


def test_flavor_switch_takes_the_sources_of_the_other_build_away() -> None:
    for source, sources in (
        ("nvidia", "nvidia-kernel-source-580"),
        ("distribution", "nvidia-kernel-source-580-server"),
    ):
        before, after = driver(NOBLE, B580, source), driver(NOBLE, B580, source, "proprietary")
        moves = moved(NOBLE, having(before, f"{sources}-open"), after)
        assert f"{sources}-open" in moves.remove
        assert f"{sources}-open" not in moved(NOBLE, having(before, f"{sources}-open"), before).remove


@pytest.mark.parametrize("version", [B570, B580, B590])
@pytest.mark.parametrize("origin", ["nvidia", "distribution"])
def test_what_another_packager_made_of_the_same_release_goes(origin: str, version: str) -> None:
    other = {"nvidia": "distribution", "distribution": "nvidia"}[origin]
    before, after = driver(NOBLE, version, other), driver(NOBLE, version, origin)
    branch, suffix = version[:3], "" if version == B590 else f"-{version[:3]}"
    theirs = {
        "nvidia": {f"libnvidia-cfg1{suffix}", f"nvidia-kernel-common{suffix}", f"nvidia-kernel-source{suffix}-open"},
        "distribution": {f"libnvidia-cfg1-{branch}-server", f"nvidia-firmware-{branch}-server-{version}"},
    }[other]
    moves = moved(NOBLE, having(before, *theirs, "cuda-compat-13-0"), after)
    assert theirs | {package.name for package in before.packages} <= {*moves.remove}
    assert "cuda-compat-13-0" not in moves.remove


def test_other_scheme_of_debian_goes() -> None:
    before, after = (
        driver(TRIXIE, "535.261.03", "distribution", "proprietary"),
        driver(TRIXIE, "550.163.01", "distribution", "proprietary"),
    )
    installed = having(before, "nvidia-tesla-535-driver", "libnvidia-tesla-535-cfg1", mark="-1")
    moves = moved(TRIXIE, installed, after)
    own = {name for name in installed if "tesla-535" in name}
    assert own <= {*moves.remove}


def test_libraries_go_along_where_names_stay() -> None:
    before, after = driver(TRIXIE, B580), driver(TRIXIE, B590)
    moves = moved(TRIXIE, having(before, "libcuda1", "libnvidia-ml1", mark="-1"), after)
    assert {"libcuda1", "libnvidia-ml1"} <= {*moves.along}


def test_dnf_companions_have_their_own_names() -> None:
    before, after = driver(ROCKY, B570), driver(ROCKY, B580)
    moves = moved(ROCKY, having(before, "nvidia-fabric-manager", "libnvidia-nscq-570", mark="-1.el9"), after)
    assert {"nvidia-fabricmanager": B580, "libnvidia-nscq": B580}.items() <= moves.install.items()
    assert {"nvidia-fabric-manager", "libnvidia-nscq-570"} <= {*moves.remove}


@pytest.mark.parametrize(
    ("name", "component"),
    [
        ("nvidia-fabricmanager-570", "fabric_manager"),
        ("nvidia-fabricmanager", "fabric_manager"),
        ("nvidia-fabric-manager", "fabric_manager"),
        ("libnvidia-nscq-535", "nscq"),
        ("libnvsdm", "nvsdm"),
        ("nvidia-imex-570", "imex"),
    ],
)
def test_companions_are_known_by_name(name: str, component: str) -> None:
    assert driver_names.companions({name: "1", "nvlsm": "1", "nvidia-container-toolkit": "1"}) == {name: component}


def test_toolkit_and_settings_are_no_parts_of_the_driver() -> None:
    installed = {
        "libnvidia-ml1": "580.105.08-1",
        "libcuda1": "580.105.08-1",
        "nvidia-container-toolkit": "1.18.0-1",
        "cuda-toolkit-13-0": "13.0.2-1",
        "nvidia-persistenced": "535.171.04-1",
        "nvidia-driver-pinning-580": "580-1",
    }
    assert driver_names.of_driver(installed) == {"libnvidia-ml1", "libcuda1", "nvidia-driver-pinning-580"}
    assert driver_names.versions(installed) == {"580.105.08"}


SYSTEMS = st.sampled_from([NOBLE, System("ubuntu", "22.04"), TRIXIE, ROCKY])
VERSIONS = st.sampled_from([B580, B590, "595.58.03"])
FLAVORS = st.sampled_from(["open", "proprietary"])


@given(SYSTEMS, VERSIONS, VERSIONS, FLAVORS, FLAVORS)
def test_every_change_leads_to_the_wanted_driver(system: System, old: str, new: str, was: str, becomes: str) -> None:
    before, after = driver(system, old, flavor=was), driver(system, new, flavor=becomes)
    installed = having(before)
    moves = moved(system, installed, after)
    if moves.needed:
        for name in moves.remove:
            del installed[name]
        installed |= {name: version or "1" for name, version in moves.install.items()}
        installed |= dict.fromkeys(moves.along, new)
    assert moved(system, installed, after) == Change()
    assert {"bash", "containerd"} <= installed.keys()
    assert not driver_names.matching(installed, after.unwanted)
