"""Checks of the role `container_runtime`: the release, its files in force, its limits, and what the kubelet needs."""

from __future__ import annotations

import pytest

from gpufleet.containers.configuration import rendered
from gpufleet.containers.judging import Trial, objection
from gpufleet.containers.registries import path_of
from gpufleet.containers.schema import ROOT_FILE
from gpufleet.facts.cni import DIRECTORY, UnlinkedPlugins
from gpufleet.facts.containerd import UNIT, ConfigTrial
from gpufleet.facts.gpu_daemons import GpuDaemon, GpuDaemonState
from gpufleet.facts.packages import InstalledVersions
from gpufleet.facts.registries import OwnRegistries
from gpufleet.health import Probe, unproven
from gpufleet.operations.files import render
from gpufleet.stack import driver_names
from roles.container_runtime.options import ContainerRuntime
from roles.container_runtime.steps import CRICTL, DROP_IN, PACKAGES, SOCKET, registry_texts, unit_context, version
from tests.verify import runtime_readings
from tests.verify.companion_readings import Companion, Declared
from tests.verify.runtime_readings import KUBERNETES_PLUGINS, NEEDED_PLUGINS, PLUGINS, Limit, Server, blocks, limits

PROBE = runtime_readings.PROBE


@pytest.fixture
def found(probe: Probe, declared: Declared) -> Companion:
    """Read the host."""
    return Companion.read(probe, declared, ContainerRuntime.key, "containerd")


@pytest.fixture
def options(found: Companion, declared: Declared) -> ContainerRuntime | None:
    """Options of a host that is to have containerd, none of any other."""
    given: ContainerRuntime = declared(ContainerRuntime)
    return given if found.wanted else None


@pytest.fixture
def daemon(probe: Probe) -> GpuDaemon:
    """The unit, and when its files last changed."""
    return GpuDaemonState().process([*probe["daemon"].lines, *probe["changed"].lines])


@pytest.fixture
def trial(probe: Probe) -> Trial:
    """What containerd says of the files that are there."""
    return ConfigTrial().process(probe["trial"].lines)


def test_stack_fits(found: Companion) -> None:
    said = found.says_what_does_not_fit()
    assert not said, f"containerd: expected a stack that fits, found {said}"


def test_packages_are_the_chosen_version(found: Companion) -> None:
    said = found.says_versions()
    assert not said, f"containerd: {said}"


def test_packages_are_held(found: Companion) -> None:
    said = found.says_holds()
    assert not said, f"containerd: {said}"


def test_no_other_source_is_installed(found: Companion, options: ContainerRuntime | None) -> None:
    if options and found.chosen:
        patterns = [name for name in found.chosen.unwanted if name in PACKAGES]
        beside = driver_names.matching(InstalledVersions().process(found.probe["packages"].lines), patterns)
        assert not beside, f"containerd: expected one source of it, found {', '.join(sorted(beside))} too"


def test_service_runs(daemon: GpuDaemon, options: ContainerRuntime | None) -> None:
    state = f"{daemon.state.active} and {daemon.state.file or 'disabled'}"
    assert options is None or state == "active and enabled", f"{UNIT}: expected active and enabled, found {state}"


def test_it_runs_on_the_files_on_disk(daemon: GpuDaemon, options: ContainerRuntime | None) -> None:
    wrong = "files that changed after its start" if daemon.is_stale else "unit files that systemd has not read"
    is_old = options is not None and (daemon.is_stale or daemon.is_unread)
    assert not is_old, f"{UNIT}: expected it to run on the files on disk, found {wrong}"


def test_the_release_that_runs(probe: Probe, found: Companion, options: ContainerRuntime | None) -> None:
    if options and found.chosen:
        running, wanted = Server.read(probe["server"].text, ()).version, version(found.chosen)
        said = running or (probe["server"].lines or ["no answer"])[-1]
        assert running == wanted, f"containerd: expected {wanted} to answer, found {said}"


def test_configuration_is_as_declared(trial: Trial, found: Companion, options: ContainerRuntime | None) -> None:
    if options and found.chosen:
        expected, there = rendered(options.settings, version(found.chosen)), trial.files.get(ROOT_FILE, "")
        lines = [line for line in expected.splitlines() if line not in there.splitlines()]
        said = f"no {lines[0]!r}" if lines else "more than that"
        assert there == expected, f"{ROOT_FILE}: expected the declared file, found {said}"


def test_configuration_is_in_force(trial: Trial, options: ContainerRuntime | None) -> None:
    """What `containerd config dump` says is what the files say, drop-ins of others included."""
    wrong = objection(trial, UNIT) if options else None
    assert wrong is None, str(wrong)


def test_kubelet_is_served(probe: Probe, options: ContainerRuntime | None) -> None:
    """A plugin that refuses its section does not load, and containerd runs without it."""
    plugins = Server.read("", probe["plugins"].lines).plugins
    wrong = {name: state for name, state in plugins.items() if state != "ok"} or (
        {} if "io.containerd.grpc.v1.cri" in plugins else {"io.containerd.grpc.v1.cri": "not there"}
    )
    assert options is None or not wrong, f"containerd: expected its plugins for the kubelet ok, found {wrong}"


def test_limits_are_written(probe: Probe, options: ContainerRuntime | None) -> None:
    if options:
        expected, there = render(DROP_IN, **unit_context(options)).splitlines(), probe["unit file"].lines
        said = [line for line in expected if line not in there] or "more than that"
        assert list(there) == expected, f"/{DROP_IN}: expected the declared limits, found it without {said}"


def test_limits_are_in_force(probe: Probe, options: ContainerRuntime | None) -> None:
    """Containers have the limits of the process that starts them."""
    if options is None:
        return
    rows = limits(probe["limits"].text, probe["own limits"].text, probe["capabilities"].text)
    wanted = {"Max locked memory": options.limits.memlock, "Max open files": options.limits.nofile}
    capped = {}
    for name, limit in wanted.items():
        row, value = rows.get(name, Limit()), "unlimited" if limit == "infinity" else limit
        if said := row.says(value):
            assert row.is_capped(value), f"containerd: expected {name} {value}, found {said}"
            capped[name] = row.ceiling
    tasks = probe["tasks"].text
    assert tasks == options.limits.tasks, f"{UNIT}: expected TasksMax {options.limits.tasks}, found {tasks}"
    if capped:
        unproven(f"containerd: expected its declared limits, found that the host's own are {capped}")


def test_registries_are_mirrored(probe: Probe, options: ContainerRuntime | None) -> None:
    if options:
        there, expected = blocks(probe["registries"].lines), registry_texts(options)
        wrong = [name for name, text in expected.items() if there.get(path_of(name)) != text]
        assert not wrong, f"certs.d: expected the declared mirrors, found others for {', '.join(wrong)}"
        others = [name for name in OwnRegistries().process(probe["own registries"].lines) if name not in expected]
        assert not others, f"certs.d: expected no other mirrors of this role, found {', '.join(others)}"


def test_crictl_is_configured(probe: Probe, options: ContainerRuntime | None) -> None:
    expected = render(CRICTL, socket=SOCKET).splitlines()
    is_it = list(probe["crictl file"].lines) == expected
    assert options is None or is_it, f"/{CRICTL}: expected {SOCKET}, found {probe['crictl file'].text or 'no file'}"


def test_crictl_can_talk(probe: Probe, options: ContainerRuntime | None) -> None:
    if options:
        if probe["crictl"].text == "none":
            unproven("crictl: expected an answer of containerd, found no crictl, which comes with kubeadm")
        is_it = "RuntimeName:  containerd" in probe["crictl"].text
        said = probe["crictl"].lines[-1:] or ["no answer"]
        assert is_it, f"crictl: expected an answer of containerd, found {said[0]}"


def test_runc_is_there(probe: Probe, options: ContainerRuntime | None) -> None:
    said = probe["runc"].text
    assert options is None or said.startswith("runc version"), (
        f"runc: expected its version, found {said or 'no answer'}"
    )


def test_network_plugins_are_there(probe: Probe, found: Companion, options: ContainerRuntime | None) -> None:
    """Whatever package they are of."""
    missing = [name for name in NEEDED_PLUGINS if name not in probe["network plugins"].lines]
    unlinked = UnlinkedPlugins().process(probe["unlinked"].lines)
    packages = {package.name for package in found.wanted} | {*InstalledVersions().process(probe["packages"].lines)}
    if options and missing and packages.isdisjoint(PLUGINS):
        unproven(f"{DIRECTORY}: expected the network plugins, found none, which come with {KUBERNETES_PLUGINS}")
    said = f"no {', '.join(missing)}" if missing else f"{', '.join(unlinked)} not linked"
    assert options is None or not (missing or unlinked), f"{DIRECTORY}: expected the network plugins, found {said}"


def test_data_lie_on_their_filesystem(probe: Probe, options: ContainerRuntime | None) -> None:
    if options:
        root, *mounts = probe["filesystem"].lines
        assert root == f"root {options.root}", f"containerd: expected its data in {options.root}, found {root}"
        assert mounts, f"{options.root}: expected containerd's data, found no such directory"
        is_it = options.filesystem in (None, mounts[0])
        assert is_it, f"{options.root}: expected it on the file system at {options.filesystem}, found {mounts[0]}"


def test_nothing_where_none_belongs(probe: Probe, found: Companion, trial: Trial, declared: Declared) -> None:
    given: ContainerRuntime = declared(ContainerRuntime)
    if found.chosen is not None and given.state == "absent":
        installed = InstalledVersions().process(probe["packages"].lines)
        left = [name for name in PACKAGES if name in installed] + [path for path in trial.files if path == ROOT_FILE]
        left += [f"/{DROP_IN}"] if probe["unit file"].lines else []
        left += [f"/{CRICTL}"] if probe["crictl file"].lines else []
        left += [path_of(name) for name in OwnRegistries().process(probe["own registries"].lines)]
        assert not left, f"containerd: expected nothing of it, found {', '.join(left)}"
