"""The steps of the role `subnet_manager`, in the order in which they run."""

from __future__ import annotations

from pyinfra.api.deploy import deploy
from pyinfra.context import host

from gpufleet.operations import stack
from roles.subnet_manager.options import SubnetManager
from roles.subnet_manager.steps import (
    install,
    keep_shipped_units_away,
    remove,
    rotate_logs,
    run,
    write_partitions,
    write_unit,
)


@deploy("Subnet manager")
def subnet_manager() -> None:
    """Run OpenSM on the hosts that manage an InfiniBand fabric: one instance for each port and subnet.

    It configures:

    - the package `opensm`, its own units masked: they would start it on every port, with priority 0, at installation
    - `gpufleet-opensm@DEVICE-PORT.service`, with options, log and cache of its own for every port
    - partitions in /etc/gpufleet/opensm/partitions.conf, the default one in any case
    - priority, routing engines, root switches, quality of service, and how soon a standby takes over
    - logrotate for /var/log/gpufleet-opensm, with SIGUSR1, by which OpenSM opens its log again
    - removal of all of it with `state: absent`

    It will not:

    - run beside the subnet manager of a managed switch without a fight: the higher priority wins, so disable one
    - choose who is master: give every manager another priority, and the same partitions to all
    - take torus-2QoS or `file` as routing engine, which need files of their own
    - touch hosts whose data have no key `subnet_manager`

    What a deploy interrupts. Changed partitions are read while OpenSM runs (SIGHUP), and nobody takes over. Changed
    options restart the instance: a standby then takes over after `failover.poll_ms` times `failover.retries`, and gives
    mastership back when the restarted one answers with the higher priority. Traffic goes on, as switches keep their
    tables; new connections and multicast joins wait. Hosts of a deploy do not wait for each other: where it changes
    master and standby alike, both may restart at once, and the subnet is without a manager for the seconds that takes.
    To have a manager all the time deploy in two steps: the standby first (`--limit`), then the master.
    """
    if host.data.get(SubnetManager.key) is None:
        stack.left_alone(name="Manage no subnet", why="the host's data have no key subnet_manager")
        return
    options = SubnetManager.of(host)
    if options.state == "absent":
        remove()
        return
    keep_shipped_units_away()
    install(options)
    write_unit()
    write_partitions(options)
    rotate_logs(options)
    run(options)
