"""What the containerd that is there may say against drop-ins of others, before a release of this or another schema."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from gpufleet.containers.beforehand import objection_beforehand
from gpufleet.containers.configuration import rendered, tree
from gpufleet.containers.drop_ins import drop_in
from gpufleet.containers.judging import Trial
from gpufleet.containers.schema import DROP_INS, ROOT_FILE, RUNTIME, runtime_plugin, schema_of
from gpufleet.containers.settings import Settings
from tests.support import imagined_containerd
from tests.support.imagined_containerd import SCHEDULER

SITE, NVIDIA = f"{DROP_INS}/50-site.toml", f"{DROP_INS}/99-nvidia.toml"
SETTINGS = Settings("registry.example.org/pause:3.10")
NEWER = "write the drop-in for that version: containerd would not start, or leave settings out unsaid"
AWAY = "correct it or take it away"


def trial(runs: str, root: str, site: str, own: str = "") -> Trial:
    """What a release says of the root file of the same or another one, a drop-in of the site and one of this suite."""
    nvidia = {"runtimes": {"nvidia": {"runtime_type": "io.containerd.runc.v2"}}}
    text = drop_in(tree(SETTINGS, own), {runtime_plugin(schema_of(own)): {"containerd": nvidia}}) if own else ""
    files = {ROOT_FILE: rendered(SETTINGS, root), SITE: site, **({NVIDIA: text} if text else {})}
    return imagined_containerd.trial(runs, files)


def told(found: Trial, schema: int, *own: str) -> str:
    return str(objection_beforehand(found, schema, own, "gpu-07") or "")


DELAY = f'[plugins."{SCHEDULER}"]\nschedule_delay = '
TEXT = f"gpu-07: {SITE}:3: expected a text for plugins.{SCHEDULER}.schedule_delay, found a number; {AWAY}"
#: Release that runs, release that wrote the root file, the site's drop-in, schema to come, and what is said.
CASES: Mapping[str, tuple[str, str, str, int, str]] = {
    "of the schema that stays": ("1.7.24", "1.7.24", f'version = 2\n{DELAY}"1s"\n', 2, ""),
    "not of the schema that stays": (
        "1.7.24", "1.7.24", "version = 3\n", 2,
        f"gpu-07: {SITE}:1: expected version = 2, as {ROOT_FILE} has, found version = 3; {NEWER}",
    ),
    "a plugin that nobody knows": (
        "2.2.6", "2.2.6", 'version = 3\n[plugins."io.containerd.nosuch.v1.x"]\n', 3,
        f"gpu-07: {SITE}:2: expected a plugin of this containerd, found io.containerd.nosuch.v1.x, which it would "
        f"ignore; {AWAY}",
    ),
    "of the newer schema to come": ("1.7.24", "1.7.24", f'version = 3\n{DELAY}"1s"\n', 3, ""),
    "of the older schema to come": ("2.2.6", "2.2.6", f'version = 2\n{DELAY}"1s"\n', 2, ""),
    "a plugin of the schema to come": (
        "1.7.24", "1.7.24", f'version = 3\n[plugins."{RUNTIME}"]\nenable_selinux = true\n', 3, "",
    ),
    "a wrong kind in the schema to come": ("1.7.24", "1.7.24", f"version = 3\n{DELAY}1\n", 3, TEXT),
    "the new release beside the old root file": ("2.2.6", "1.7.24", f'version = 3\n{DELAY}"1s"\n', 3, ""),
    "the old release beside the new root file": ("1.7.24", "2.2.6", f'version = 3\n{DELAY}"1s"\n', 3, ""),
    "a wrong kind between two releases": ("2.2.6", "1.7.24", f"version = 3\n{DELAY}1\n", 3, TEXT),
}  # fmt: skip


@pytest.mark.parametrize(("runs", "root", "site", "schema", "said"), CASES.values(), ids=CASES)
def test_of_others(runs: str, root: str, site: str, schema: int, said: str) -> None:
    assert told(trial(runs, root, site), schema) == said


@pytest.mark.parametrize(("runs", "own"), [("2.2.6", "1.7.24"), ("1.7.24", "2.2.6")])
def test_a_drop_in_of_this_suite_that_moves_later_is_not_held_against_anybody(runs: str, own: str) -> None:
    schema = schema_of(runs)
    sound, found = f'version = {schema}\n{DELAY}"1s"\n', f"expected version = {schema}, as {ROOT_FILE} has"
    assert found in told(trial(runs, runs, sound, own), schema)
    assert told(trial(runs, runs, sound, own), schema, NVIDIA) == ""
    assert found in told(trial(runs, runs, "version = 4\n", own), schema, NVIDIA)


def test_a_refusal_beside_a_drop_in_that_moves_may_be_on_its_account() -> None:
    files = {ROOT_FILE: rendered(SETTINGS, "1.7.24"), SITE: f'version = 2\n{DELAY}"1s"\n', NVIDIA: "version = 3\n"}
    refused = imagined_containerd.trial("1.7.24", files, code=1, said=("containerd: newer",), dump="")
    assert told(refused, 2, NVIDIA) == ""
    assert told(refused, 2).startswith(f"gpu-07: {NVIDIA}:1: expected version = 2")


def test_no_containerd_to_ask() -> None:
    assert told(Trial({ROOT_FILE: rendered(SETTINGS, "2.2.6"), SITE: f"version = 3\n{DELAY}1\n"}, code=127), 3) == ""


def test_what_is_no_toml_is_said_elsewhere() -> None:
    assert told(trial("2.2.6", "1.7.24", "version = ["), 3) == ""
