"""Subnet managers that are killed and stay so: as a crash that systemd does not repair."""

from __future__ import annotations

from gpufleet.errors import LabError
from gpufleet.lab.fabric.simulator import Simulator
from gpufleet.lab.hosts import LabHost

#: The units of the role subnet_manager, one for each port: gpufleet-opensm@mlx5_0-1.service.
PREFIX, SUFFIX = "gpufleet-opensm@", ".service"
RUNNING = f"systemctl list-units --plain --no-legend --state=active '{PREFIX}*' | cut -d' ' -f1"
#: In memory: a reboot repairs what was killed.
DROP_INS, DROP_IN = "/run/systemd/system", "gpufleet-lab-killed.conf"
KILLED = f"ls -d {DROP_INS}/{PREFIX}*/{DROP_IN} 2>/dev/null | cut -d/ -f5; true"
PREPARE = """
for unit in {units}; do
  mkdir -p {folder}/$unit.d
  printf '[Service]\\nRestart=no\\n' >{folder}/$unit.d/{name}
done
systemctl daemon-reload
"""
KILL = """
systemctl kill --signal=KILL {units}
timeout 20 sh -c 'while systemctl -q is-active {units}; do sleep 0.1; done'
"""
REVIVE = """
for unit in {units}; do rm -r {folder}/$unit.d; done
systemctl daemon-reload
systemctl reset-failed {units} || true
systemctl start {units}
"""


def kill(host: LabHost, device: str, simulator: Simulator) -> None:
    """Kill the host's subnet managers, or that of a device, once the simulator has forgotten them.

    What ibsim passes on to a process that has gone is lost without a word, and a standby waits for it for ever.
    """
    if device in killed(host) or (not device and killed(host)):
        return
    units = of(host.execute(RUNNING).stdout.split(), device)
    if not units:
        where, cure = f"host {host.name}", "deploy the role subnet_manager first"
        expected = f"a subnet manager that runs{' on ' + device if device else ''}"
        raise LabError(where, expected=expected, found="none", cure=cure)
    host.execute(PREPARE.format(units=" ".join(units), folder=DROP_INS, name=DROP_IN))
    simulator.detach_managers([f"{host.name} {device_of(unit)}" for unit in units])
    host.execute(KILL.format(units=" ".join(units)))


def revive(host: LabHost, device: str) -> None:
    """Start what was killed; nothing where nothing was."""
    if units := of([f"{PREFIX}{name}-1{SUFFIX}" for name in killed(host)], device):
        host.execute(REVIVE.format(units=" ".join(units), folder=DROP_INS))


def killed(host: LabHost) -> list[str]:
    """Devices whose subnet manager was killed."""
    found = host.execute(KILLED, check=False).stdout.split()
    return [device_of(folder.removesuffix(".d")) for folder in found]


def of(units: list[str], device: str) -> list[str]:
    """Return the units of a device; all of them without one."""
    return [unit for unit in units if device in ("", device_of(unit))]


def device_of(unit: str) -> str:
    """Return `mlx5_0` of gpufleet-opensm@mlx5_0-1.service."""
    return unit.removeprefix(PREFIX).removesuffix(SUFFIX).rpartition("-")[0]
