"""The pytest plugin that runs checks on the hosts of a pyinfra inventory; testinfra does the talking.

It sleeps unless `--inventory` is given. A check module `test_<role>.py` runs on the hosts whose data declare the role.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import pytest
from testinfra.host import Host

from gpufleet.errors import GpufleetError
from gpufleet.health import items as checks
from gpufleet.health import recorder, targets
from gpufleet.health.fleet import Fleet
from gpufleet.health.outcomes import Outcome
from gpufleet.health.probe import Probe
from gpufleet.inventory.hosts import InventoryHost
from gpufleet.options import RoleOptions
from gpufleet.project import ROOT

Options = TypeVar("Options", bound=RoleOptions)

_FLEET = pytest.StashKey[Fleet]()

#: How pytest shows an outcome: its category, letter and word.
_STATUS = {
    Outcome.UNPROVEN: ("unproven", "u", "UNPROVEN"),
    Outcome.ERROR: ("error", "E", "ERROR"),
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options that choose hosts and checks."""
    group = parser.getgroup("gpufleet")
    group.addoption("--inventory", type=Path, help="pyinfra inventory whose hosts are checked")
    group.addoption("--limit", action="append", default=[], help="only these hosts, groups or patterns of names")
    group.addoption("--role", action="append", default=[], help="only this role, on every host whatever its data")
    group.addoption("--verify-directory", type=Path, help="instead of --inventory: what gpufleet verify hands over")
    group.addoption("--verify-report", type=Path, help="write outcomes here, one JSON object a line")


def pytest_configure(config: pytest.Config) -> None:
    """Read the inventory, and in a worker of pytest-xdist what its controller has read."""
    config.addinivalue_line("markers", "xdist_group(name): checks that one worker runs, so that a host is probed once")
    if config.getoption("inventory") or config.getoption("verify_directory"):
        if str(ROOT) not in sys.path:  # checks import the options of their roles, from wherever pytest was started
            sys.path.append(str(ROOT))
        try:
            config.stash[_FLEET] = Fleet.of(config)
        except GpufleetError as error:
            raise pytest.UsageError(str(error)) from None
    if (path := config.getoption("verify_report")) and not hasattr(config, "workerinput"):
        config.pluginmanager.register(recorder.Recorder(path))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Hand the hosts to a worker of pytest-xdist."""
    if fleet := node.config.stash.get(_FLEET, None):
        node.workerinput["gpufleet_hosts"] = fleet.packed()


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """End the connections."""
    pytest_unconfigure(session.config)


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the connections of a run that never became a session."""
    if fleet := config.stash.get(_FLEET, None):
        fleet.close()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Pass over the checks of a role that no host has."""
    fleet = config.stash.get(_FLEET, None)
    if fleet and fleet.is_check_file(collection_path) and not fleet.having(targets.role_of(collection_path)):
        return True
    return None


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give each check the hosts of its role; testinfra reads them from the module."""
    if fleet := metafunc.config.stash.get(_FLEET, None):
        role = targets.role_of(Path(str(metafunc.module.__file__)))
        metafunc.module.testinfra_hosts = [fleet.connections.specification(host) for host in fleet.having(role)]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Pass over roles that no host has, also in files named by hand, and keep the checks of a host in one worker."""
    if not (fleet := config.stash.get(_FLEET, None)):
        return
    idle = [item for item in items if not fleet.having(targets.role_of(item.path))]
    if idle:
        config.hook.pytest_deselected(items=idle)
        items[:] = [item for item in items if item not in idle]
    for item in items:
        item.add_marker(pytest.mark.xdist_group(checks.host_name(item)))


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    """Probe all hosts at once; a worker, which sees every host and runs some, probes at the first check of each."""
    fleet = session.config.stash.get(_FLEET, None)
    if fleet and not hasattr(session.config, "workerinput"):
        fleet.probe(session.items)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put our outcome beside pytest's."""
    report = yield
    if item.config.stash.get(_FLEET, None):
        recorder.annotate(report, item, call)
    return report


def pytest_report_teststatus(report: pytest.TestReport | pytest.CollectReport) -> tuple[str, str, str] | None:
    """Show what pytest has no word for."""
    result = recorder.result_of(report)
    return _STATUS.get(Outcome(result["outcome"])) if result else None


@pytest.fixture(autouse=True)
def _reached(request: pytest.FixtureRequest) -> None:
    """Let no check begin on a host that did not answer the probe: all of them then end with its one reason."""
    if fleet := request.config.stash.get(_FLEET, None):
        fleet.answer(checks.host_of(request.node), request.module, request.session.items)


@pytest.fixture
def data(host: Host, pytestconfig: pytest.Config) -> Mapping[str, Any]:
    """Merged inventory data of the host."""
    return _record(host, pytestconfig).data


@pytest.fixture
def declared(host: Host, pytestconfig: pytest.Config) -> Callable[[type[Options]], Options]:
    """Typed options that the inventory declares for the host: `declared(Base).swap`."""
    record = _record(host, pytestconfig)
    return lambda options: options.of(record)


@pytest.fixture
def probe(host: Host, request: pytest.FixtureRequest) -> Probe:
    """What the host answered to the sections in the module's PROBE."""
    fleet: Fleet = request.config.stash[_FLEET]
    return fleet.answer(host, request.module, request.session.items)


def _record(host: Host, config: pytest.Config) -> InventoryHost:
    fleet: Fleet = config.stash[_FLEET]
    return fleet.hosts[host.backend.get_hostname()]
