"""Every check of the role container_runtime, seen passing and failing."""

from __future__ import annotations

from typing import Any

import pytest

from gpufleet.containers.schema import ROOT_FILE
from roles.container_runtime.steps import CRICTL, DROP_IN
from tests.support.check_runs import Answer, outcomes
from tests.support.runtime_answers import DATA, GONE, GOOD, MIRROR, NONE, changed
from tests.support.runtime_deviations import DEVIATIONS
from tests.verify import test_container_runtime as module


@pytest.mark.parametrize(("answers", "data"), [(GOOD, DATA), (NONE, {}), (GOOD, {}), (NONE, GONE)])
def test_as_declared(answers: dict[str, str], data: dict[str, Any]) -> None:
    assert outcomes(module, answers, data, Answer()) == {}


@pytest.mark.parametrize("build", ["v2.2.6", "2.2.6+unknown", "2.2.6~ds1"])
def test_release_as_builders_write_it(build: str) -> None:
    server = changed("server", "Server:\n  Version:  2.2.6", f"Server:\n  Version:  {build}")
    assert outcomes(module, {**GOOD, **server}, DATA, Answer()) == {}


@pytest.mark.parametrize(
    ("packages", "plugins", "said"),
    [
        ("installed kubernetes-cni 1.9.1-150500.1.1", GOOD["network plugins"], {}),
        ("installed kubernetes-cni 1.9.1-150500.1.1", "bridge",
         {"network_plugins_are_there": "/opt/cni/bin: expected the network plugins, found no loopback, host-local, "
                                       "portmap"}),
        ("", GOOD["network plugins"], {}),
        ("", "",
         {"network_plugins_are_there": "unproven: /opt/cni/bin: expected the network plugins, found none, which come "
                                       "with kubernetes-cni"}),
    ],
)  # fmt: skip
def test_network_plugins_where_the_distribution_has_none(packages: str, plugins: str, said: dict[str, str]) -> None:
    machine = 'os ID=rocky\nos VERSION_ID="10.0"\narch x86_64\nkernel 6.12.0-55.9.1.el10_0.x86_64'
    installed = f"installed containerd.io 2.2.6-1.el10\n{packages}"
    answers = {**GOOD, "machine": machine, "packages": installed, "network plugins": plugins}
    assert outcomes(module, answers, DATA, Answer()) == said


@pytest.mark.parametrize(("changes", "failing"), DEVIATIONS)
def test_deviations(changes: dict[str, str], failing: dict[str, str]) -> None:
    assert outcomes(module, {**GOOD, **changes}, DATA, Answer()) == failing


def test_stack_that_does_not_fit() -> None:
    found = outcomes(module, GOOD, {**DATA, "stack": {"kubelet": "1.31.4"}}, Answer())
    assert list(found) == ["stack_fits"]
    assert found["stack_fits"].startswith(
        "containerd: expected a stack that fits, found error: containerd: expected Kubernetes 1.35, 1.36, 1.37 beside "
        "containerd 2.2, found kubelet 1.31.4; choose a containerd of another series, or another kubelet"
    )


def test_leftovers() -> None:
    assert outcomes(module, GOOD, GONE, Answer()) == {
        "nothing_where_none_belongs": f"containerd: expected nothing of it, found containerd.io, {ROOT_FILE}, "
        f"/{DROP_IN}, /{CRICTL}, {MIRROR}"
    }


def test_every_check_was_seen_failing() -> None:
    failing = {name for _, messages in DEVIATIONS for name in messages}
    seen = failing | {"nothing_where_none_belongs", "stack_fits"}
    assert seen == {name.removeprefix("test_") for name in vars(module) if name.startswith("test_")}
