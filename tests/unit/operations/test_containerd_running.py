"""When containerd is started anew: by what it read at its start and what lies there now, drop-ins that are gone too."""

from __future__ import annotations

from typing import Any

import pytest
from pyinfra.facts.files import Directory

from gpufleet.containers.configuration import rendered
from gpufleet.containers.schema import DROP_INS, ROOT_FILE
from gpufleet.containers.settings import Settings
from gpufleet.facts.containerd import PROGRAM, UNIT, ConfigTrial, DropIns
from gpufleet.facts.gpu_daemons import GpuDaemon, GpuDaemonState
from gpufleet.facts.units import UnitState
from gpufleet.operations import containerd
from tests.support.imagined_containerd import trial
from tests.support.plans import plan

ROOT = rendered(Settings("registry.k8s.io/pause:3.10.2"), "2.2.6")
SITE, NVIDIA = f"{DROP_INS}/50-site.toml", f"{DROP_INS}/99-nvidia.toml"
LIMITS = f"/etc/systemd/system/{UNIT}.d/gpufleet.conf"
STARTED = 100.5
#: When its files last changed: all of them before its start.
BEFORE = {PROGRAM: 10.0, ROOT_FILE: 20.0, DROP_INS: 30.0, NVIDIA: 30.0, LIMITS: 20.0}
LATER = 100.6
NOTHING = [f"nothing to do: {UNIT} is enabled and running"]
LAST_WORDS = f"{{ journalctl --unit {UNIT} --lines 10 --output cat >&2; exit 1; }}"
RESTART = [f"systemctl restart {UNIT} || {LAST_WORDS}"]
START = [f"systemctl start {UNIT} || {LAST_WORDS}"]
RELOAD, ENABLED = "systemctl daemon-reload", UnitState("loaded", "active", "enabled")


def told(
    times: dict[str, float], state: UnitState = ENABLED, text: str = "version = 3\n", is_unread: bool = False
) -> list[str]:
    """Lines of the plan where files have these times of change, and the site's drop-in this text where it is there."""
    drop_ins = {path: text for path in (SITE, NVIDIA) if path in times}

    def daemon(unit: str, files: list[str]) -> GpuDaemon:
        assert unit == UNIT
        changed = max(times.get(path, 0) for path in files)
        return GpuDaemon(state, is_unread, started=STARTED, changed=changed)

    known: dict[Any, Any] = {
        DropIns: lambda: drop_ins,
        GpuDaemonState: daemon,
        Directory: lambda path: {"mode": 755} if path in times else None,
        ConfigTrial: lambda: trial("2.2.6", {ROOT_FILE: ROOT, **drop_ins}),
    }
    _, *lines = plan(containerd.running, known).splitlines()
    return [line.strip() for line in lines]


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        pytest.param(BEFORE, NOTHING, id="as it started"),
        pytest.param({**BEFORE, DROP_INS: STARTED}, NOTHING, id="a second run"),
        pytest.param({**BEFORE, ROOT_FILE: LATER}, RESTART, id="another root file"),
        pytest.param({**BEFORE, PROGRAM: LATER}, RESTART, id="another program"),
        pytest.param({**BEFORE, LIMITS: LATER}, RESTART, id="other limits"),
        pytest.param({**BEFORE, NVIDIA: LATER}, RESTART, id="a drop-in changed in place"),
        pytest.param({**BEFORE, DROP_INS: LATER, SITE: LATER}, RESTART, id="a new drop-in"),
        pytest.param({**BEFORE, DROP_INS: LATER}, RESTART, id="a drop-in that is gone beside another"),
    ],
)
def test_running(times: dict[str, float], expected: list[str]) -> None:
    assert told(times) == expected


def test_a_directory_that_is_gone_took_its_drop_ins_with_it() -> None:
    bare = {path: time for path, time in BEFORE.items() if path not in (DROP_INS, NVIDIA)}
    assert told(bare) == [f"mkdir -p {DROP_INS}", *RESTART]
    assert told({**bare, DROP_INS: STARTED}) == NOTHING


def test_stopped() -> None:
    assert told(BEFORE, UnitState("loaded", "inactive", "enabled")) == START


def test_systemd_reads_the_unit_again_only_where_it_has_changed() -> None:
    """What unmasks a unit reads it too."""
    assert told({**BEFORE, LIMITS: LATER}, is_unread=True) == [RELOAD, *RESTART]
    assert told(BEFORE, is_unread=True) == [RELOAD]
    masked = told(BEFORE, UnitState("masked", "inactive", "masked"), is_unread=True)
    assert masked == [f"systemctl unmask {UNIT}", f"systemctl enable {UNIT}", *START]


def test_a_drop_in_that_is_gone_beside_a_bad_one() -> None:
    """The containerd that runs goes on."""
    [line, *_] = told({**BEFORE, DROP_INS: LATER}, text="version = 4\n")
    assert line == (
        f"printf '%s\\n' 'gpu-07: {NVIDIA}:1: expected version = 3, as {ROOT_FILE} has, found version = 4; write the "
        "drop-in for that version: containerd would not start, or leave settings out unsaid' >&2; false"
    )
