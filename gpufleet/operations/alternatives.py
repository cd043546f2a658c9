"""The alternatives system: one of several versions chosen for good."""

from __future__ import annotations

from collections.abc import Generator

from pyinfra.api.command import QuoteString, StringCommand
from pyinfra.api.operation import operation
from pyinfra.context import host

from gpufleet.facts.alternatives import AlternativeState
from gpufleet.operations import failure

Commands = Generator[StringCommand, None, None]


@operation()
def chosen(group: str, path: str) -> Commands:
    """
    Choose one path of a group, so that no later installation moves its link.

    + group: name of the group, such as `cuda`
    + path: path to choose; a package must have offered it

    **Example:**

    .. code:: python

        alternatives.chosen(group="cuda", path="/usr/local/cuda-12.9", name="Make CUDA 12.9 the default")
    """
    state = host.get_fact(AlternativeState, group=group)
    # Want this path and have it, by choice rather than by priority?
    if state.current == path and state.chosen:
        host.noop(f"alternative {group} is {path}")
        return
    # Packages that are still to come in this run offer it later.
    if host.state.is_executing and path not in state.choices:
        yield failure(
            f"{host.name}: alternative {group}",
            expected=f"{path} on offer",
            found=", ".join(state.choices) or "no such group",
            cure="install the package that offers it, or repair it: its own scripts register the path",
        )
        return
    yield StringCommand("update-alternatives", "--set", QuoteString(group), QuoteString(path))
