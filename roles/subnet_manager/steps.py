"""Short steps of the role, each one operation or two; their order is in deploy.py."""

from __future__ import annotations

from typing import Any

from gpufleet.facts.opensm import CACHE, CONFIGURATION, LOGS, MARKS, PARTITIONS, PROGRAM
from gpufleet.operations import components, files, gpu_daemons, opensm, packages, unit_files, units
from roles.subnet_manager.options import Port, SubnetManager

PACKAGE = "opensm"
#: The diagnostics ask the fabric who its master is; logrotate is not on every minimal system.
PACKAGES = (PACKAGE, "infiniband-diags", "logrotate")
#: Units of the distributions' package and of DOCA's: they start by themselves, on every port, with priority 0.
SHIPPED = ("opensm.service", "opensmd.service")
TEMPLATE = "gpufleet-opensm@.service"
UNIT = f"etc/systemd/system/{TEMPLATE}"
ROTATION = "etc/logrotate.d/gpufleet-opensm"
LOG_FLAGS = {"error": "0x01", "info": "0x03", "verbose": "0x07"}
PLACES: dict[str, Any] = {
    "configuration": CONFIGURATION,
    "logs": LOGS,
    "cache": CACHE,
    "marks": MARKS,
    "program": PROGRAM,
}


def instance_context(options: SubnetManager, port: Port) -> dict[str, Any]:
    """Return what the template of an instance's options needs beside its name and GUID; checks render the same."""
    return {
        **PLACES,
        "options": options,
        "priority": options.priority if port.priority is None else port.priority,
        "partitions": PARTITIONS,
        "log_flags": LOG_FLAGS[options.log.level],
    }


def keep_shipped_units_away() -> None:
    """Keep the package's own units from starting OpenSM on every port, before the package brings them."""
    units.masked(units=SHIPPED, name="Keep the package's own units from managing every port")


def install(options: SubnetManager) -> None:
    """Install OpenSM and what asks it."""
    packages.exact(packages=PACKAGES, timeout=options.install_timeout, name="Install OpenSM and its diagnostics")


def write_unit() -> None:
    """Write the unit of which every port has an instance."""
    files.rendered(path=UNIT, name="Write the subnet manager's unit", **PLACES)


def write_partitions(options: SubnetManager) -> None:
    """Write the partitions; all instances read the same."""
    path = PARTITIONS.lstrip("/")
    files.rendered(path=path, partitions=options.all_partitions, name="Write the partitions of the fabric")


def rotate_logs(options: SubnetManager) -> None:
    """Have logrotate move the logs away, and tell OpenSM to open new ones."""
    files.rendered(path=ROTATION, log=options.log, logs=LOGS, name="Rotate the subnet manager's logs")


def run(options: SubnetManager) -> None:
    """Run an instance on every port, and none on any other."""
    opensm.only(instances=[port.name for port in options.ports], name="Manage no subnet from another port")
    for port in options.ports:
        opensm.configured(
            instance=port.name,
            port=f"{port.device}/{port.port}",
            guid=port.guid,
            roots=port.root_guids,
            name=f"Write the options of the subnet manager on {port.name}",
            **instance_context(options, port),
        )
        opensm.running(instance=port.name, name=f"Run the subnet manager on {port.name}")


def remove() -> None:
    """Remove all of it; the diagnostics stay, as other roles use them."""
    opensm.only(instances=[], name="Stop every subnet manager")
    components.removed(patterns=[PACKAGE], name="Remove OpenSM")
    for unit in SHIPPED:
        gpu_daemons.stopped(unit=unit, name=f"Forget the mask of {unit}")
    unit_files.forgotten(unit=TEMPLATE, name="Remove the subnet manager's unit")
    files.absent(path=ROTATION, name="Rotate its logs no longer")
    opensm.forgotten(name="Remove its options, partitions, logs and cache")
