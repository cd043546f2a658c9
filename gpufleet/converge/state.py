"""pyinfra's State with a stage for each host, so that no host waits for another.

pyinfra moves all hosts from stage to stage together: one slow login would hold up the whole wave. Here each host's
greenlet connects, prepares and executes by itself, and what pyinfra asks its state about the stage is answered for the
host whose greenlet asks.
"""

from __future__ import annotations

from typing import Any

from pyinfra.api.config import Config
from pyinfra.api.exceptions import PyinfraError
from pyinfra.api.host import Host, HostData
from pyinfra.api.inventory import Inventory
from pyinfra.api.state import MAX_PARALLEL, State, StateStage
from pyinfra.context import ctx_config, ctx_host, ctx_inventory, ctx_state

#: pyinfra's API mode tells operations apart by position only; a number of fixed width keeps those of two hosts apart.
FIRST_HOST_NUMBER = 10_000_000

#: pyinfra's note of the host whose greenlet runs.
CURRENT: Any = ctx_host


class FactFailedError(PyinfraError):
    """A fact could not be read. pyinfra alone would go on with the fact's default value."""


class WaveState(State):
    """pyinfra's state for hosts that advance independently."""

    def __init__(self, inventory: Inventory, config: Config, *, dry: bool, cwd: str) -> None:
        self.stages: dict[Host, StateStage] = {}
        config.PARALLEL = max(1, min(len(inventory), MAX_PARALLEL))
        super().__init__(inventory, config, check_for_changes=dry)
        self.cwd = cwd
        for number, host in enumerate(inventory):
            host.loop_position = [-(FIRST_HOST_NUMBER + number)]
            host.data = HostData(host, merged(host), host.get_deploy_data)

    @property
    def current_stage(self) -> StateStage:
        """Stage of the host that asks."""
        return self.stages.get(CURRENT.get(), StateStage.Setup)

    @current_stage.setter
    def current_stage(self, stage: StateStage) -> None:
        self.stages[CURRENT.get()] = stage

    @property
    def is_executing(self) -> bool:
        """Whether the host that asks executes operations."""
        return self.current_stage is StateStage.Execute

    @is_executing.setter
    def is_executing(self, executing: bool) -> None:
        """Only pyinfra's own `run_ops` sets this, which moves all hosts together and is not used here."""
        raise PyinfraError("a wave executes host by host")

    def fail_hosts(self, hosts_to_fail: set[Host], activated_count: int | None = None) -> None:
        """Stop at a fact that failed: an operation that goes on with a default value decides on a guess."""
        if hosts_to_fail:
            self.failed_hosts.update(hosts_to_fail)
            raise FactFailedError("a fact could not be read")

    def as_context(self) -> None:
        """Make this the state that deploy code sees."""
        context: Any
        for context, value in ((ctx_state, self), (ctx_inventory, self.inventory), (ctx_config, self.config)):
            context.set(value)

    def operation_name(self, op_hash: str) -> str:
        """Name of an operation with the names of the deploys around it."""
        return " ".join(self.op_meta[op_hash].names)

    def is_conditional(self, host: Host, op_hash: str) -> bool:
        """Whether an operation runs only if others changed something."""
        arguments: Any = self.ops[host][op_hash].global_arguments
        return bool(arguments.get("_if"))


def merged(host: Host) -> dict[str, Any]:
    """A host's inventory data in one dictionary: pyinfra merges them anew at each look, 30 times an operation."""
    inventory: Any = host.inventory
    layers = (inventory.get_data(), inventory.get_groups_data(host.groups), inventory.get_host_data(host.name))
    return {key: value for layer in (*layers, inventory.get_override_data()) for key, value in layer.items()}
