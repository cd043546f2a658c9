"""Every check of the role container_toolkit, seen passing and failing."""

from __future__ import annotations

from typing import Any

import pytest

from gpufleet.containers.gpu_devices import SPECIFICATION
from gpufleet.containers.schema import ROOT_FILE
from gpufleet.operations.files import render
from roles.container_toolkit.steps import CONFIGURATION, DROP_IN, LINKS, RULE, UNIT_FILE
from tests.support.check_runs import Answer, outcomes
from tests.support.runtime_answers import ROOT, answer
from tests.support.toolkit_answers import CONTAINER, DATA, GONE, GOOD, NONE, changed
from tests.support.toolkit_deviations import DEVIATIONS
from tests.verify import test_container_toolkit as module

WITHOUT_GPUS = GOOD["machine"].partition("\npci")[0]
WAITS = {"reboot": "/run/gpufleet/reboot-required/nvidia-driver:the module in the kernel is another"}


@pytest.mark.parametrize(("answers", "data"), [(GOOD, DATA), (NONE, {}), (GOOD, {}), (NONE, GONE)])
def test_as_declared(answers: dict[str, str], data: dict[str, Any]) -> None:
    assert outcomes(module, answers, data, Answer()) == {}


@pytest.mark.parametrize(("changes", "failing"), DEVIATIONS)
def test_deviations(changes: dict[str, str], failing: dict[str, str]) -> None:
    assert outcomes(module, {**GOOD, **changes}, DATA, Answer()) == failing


@pytest.mark.parametrize(
    "container",
    [
        "",
        "unit cri-containerd-1f.scope\nnode c3 0 /proc/812/root/dev/nvidia0\nDevicePolicy=auto",
        CONTAINER.replace("DeviceAllow=/dev/char/195:0 rw", "DeviceAllow=/dev/nvidia0 rw"),
        CONTAINER.replace("DeviceAllow=/dev/char/195:0 rw", "DeviceAllow=char-nvidia rw"),
    ],
    ids=["none", "privileged", "by path", "by driver"],
)
def test_containers_that_lose_nothing(container: str) -> None:
    assert outcomes(module, {**GOOD, "containers": container}, DATA, Answer()) == {}


def test_before_the_vendors_unit() -> None:
    older = {section: GOOD[section].replace("1.19.1", "1.17.8") for section in ("packages", "programs")}
    older["unit file"] = render(UNIT_FILE, program=f"/{LINKS}", specification=SPECIFICATION, beside="").strip()
    gone = {"unit nvidia-cdi-refresh.path": NONE["unit nvidia-cdi-refresh.path"]}
    data = {"container_toolkit": {"version": "1.17.8"}}
    assert outcomes(module, {**GOOD, **older, **gone}, data, Answer()) == {}


def test_default_runtime() -> None:
    data = {"container_toolkit": {"version": "1.19.1", "default_runtime": True}}
    assert outcomes(module, GOOD, data, Answer()) == {
        "runtime_is_declared": "containerd: expected nvidia as the default runtime, found runc"
    }


def test_a_driver_that_waits_for_a_reboot() -> None:
    message = (
        "unproven: devices: expected those of the driver, found that it waits for a reboot: the module in the kernel "
        "is another"
    )
    names = ("toolkit_reaches_the_driver", "specification_is_of_the_driver_and_its_devices")
    assert outcomes(module, {**GOOD, **WAITS}, DATA, Answer()) == dict.fromkeys(names, message)


def test_a_broken_answer_of_containerd() -> None:
    broken = {"trial": answer({ROOT_FILE: ROOT}).replace("version = 3", "version = [")}
    assert list(outcomes(module, {**GOOD, **broken}, DATA, Answer())) == ["runtime_is_declared"]


def test_stack_that_does_not_fit() -> None:
    found = outcomes(module, GOOD, {**DATA, "stack": {"containerd": "1.6.36"}}, Answer())
    assert list(found) == ["stack_fits"]
    assert found["stack_fits"].startswith(
        "container toolkit: expected a stack that fits, found error: toolkit: expected containerd 1.7 or newer for "
        "container toolkit 1.19.1, found containerd 1.6.36; choose a newer containerd or an older container toolkit"
    )


@pytest.mark.parametrize("machine", [GOOD["machine"], WITHOUT_GPUS], ids=["with GPUs", "without GPUs"])
def test_leftovers(machine: str) -> None:
    assert outcomes(module, {**GOOD, "machine": machine}, GONE, Answer()) == {
        "nothing_where_none_belongs": "container toolkit: expected nothing of it, found libnvidia-container1, "
        "libnvidia-container-tools, nvidia-container-toolkit-base, nvidia-container-toolkit, "
        f"/{DROP_IN}, /{CONFIGURATION}, /{UNIT_FILE}, /{RULE}, /{LINKS}, {SPECIFICATION}"
    }


def test_a_baseboard_that_lost_its_gpus_keeps_what_it_has() -> None:
    assert outcomes(module, {**GOOD, "machine": WITHOUT_GPUS}, DATA, Answer()) == {}


def test_a_program_that_says_nothing() -> None:
    silent = changed("programs", "NVIDIA CDI Hook version 1.19.1\n", "")
    assert outcomes(module, {**GOOD, **silent}, DATA, Answer()) == {
        "programs_are_that_release": "container toolkit: expected its programs to be 1.19.1, found nvidia-cdi-hook no "
        "answer"
    }


def test_every_check_was_seen_failing() -> None:
    failing = {name for _, messages in DEVIATIONS for name in messages}
    seen = failing | {"nothing_where_none_belongs", "stack_fits"}
    assert seen == {name.removeprefix("test_") for name in vars(module) if name.startswith("test_")}
