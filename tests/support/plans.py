"""What a deploy would do to a host whose facts are given: its operations and their commands as a text.

The host is one of pyinfra's fake ones, so nothing is connected to and nothing runs. A plan kept in
`tests/plans/<role>/<case>.txt` shows a reviewer what a change of a role does; `GPUFLEET_UPDATE_PLANS=1` rewrites it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

from pyinfra.api.command import FileUploadCommand, FunctionCommand, PyinfraCommand, StringCommand
from pyinfra.api.config import Config
from pyinfra.api.connect import connect_all
from pyinfra.api.deploy import add_deploy
from pyinfra.api.exceptions import PyinfraError
from pyinfra.api.facts import FactBase
from pyinfra.api.host import Host
from pyinfra.api.inventory import Inventory
from pyinfra.api.operations import run_ops
from pyinfra.api.state import State, StateStage
from pyinfra.connectors.fake import FakeConnector

from gpufleet.operations import apt_get, dnf_command

PLANS = Path(__file__).parents[1] / "plans"
HOST = "gpu-07"

# pyinfra leaves these constructors without types.
_inventory: Callable[..., Inventory] = Inventory
_config: Callable[..., Config] = Config

#: A fact's value, or a function of the fact's arguments.
Facts = Mapping[type[FactBase[Any]], Any]


def plan(deploy: Callable[[], Any], facts: Facts | None = None, data: Mapping[str, Any] | None = None) -> str:
    """Return the operations of a deploy, each with the commands it runs on a host with these facts and data.

    A fact that is not given has its default: no package is installed, no file is there. An operation that has
    nothing to do says so. A command made by `gpufleet.operations.failure` fails, and what follows is not reached. The
    scripts around apt-get and dnf have tests of their own and are shortened to what they install, and by when.
    """
    noops: dict[str, list[str]] = {}
    state = _state(data or {})
    host = state.inventory.get_host(HOST)
    with (
        patch.object(host, "get_fact", _scripted(facts or {})),
        patch.object(host, "noop", lambda text: noops.setdefault(host.current_op_hash or "", []).append(text)),
        patch.object(FunctionCommand, "execute", lambda *_: True),
        patch.multiple(apt_get, install=_install, update=_update, remove=_remove, fetch=_fetch),
        patch.object(dnf_command, "dnf", _dnf),
    ):
        connect_all(state)
        state.set_stage(StateStage.Prepare)
        add_deploy(state, deploy)
        state.set_stage(StateStage.Execute)
        try:
            run_ops(state)
        except PyinfraError:
            if host not in state.failed_hosts:
                raise
    return "".join(_operation(state, host, op_hash, noops.get(op_hash, [])) for op_hash in state.get_op_order())


def assert_plan(role: str, case: str, text: str) -> None:
    """Compare a plan with the file that keeps it, or write the file where `GPUFLEET_UPDATE_PLANS` is set."""
    path = PLANS / role / f"{case}.txt"
    if os.environ.get("GPUFLEET_UPDATE_PLANS"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert path.exists(), f"{path.name}: expected a kept plan, found none; set GPUFLEET_UPDATE_PLANS=1 to write it"
    assert text == path.read_text(encoding="utf-8")


def _state(data: Mapping[str, Any]) -> Any:
    responses = {re.compile(r">&2; false\W*$"): {"success": False}}
    inventory = _inventory(
        ([(HOST, {"fake_delay": 0, "fake_delay_jitter": 0, "fake_responses": responses, **data})], {})
    )
    inventory.get_host(HOST).connector_cls = FakeConnector
    return State(inventory, _config(TEMP_DIR="/tmp"), check_for_changes=False)


def _install(packages: Sequence[str], timeout: int, lock_timeout: int, recommended: bool = False) -> StringCommand:
    extra = ["with what they recommend"] * recommended
    return StringCommand("apt-get install", *packages, *extra, f"(within {timeout} s)")


def _update(timeout: int, lock_timeout: int, cache_time: int = 0) -> StringCommand:
    return StringCommand("apt-get update", f"(if older than {cache_time} s)" if cache_time else "")


def _fetch(packages: Sequence[str], instead_of: Sequence[str], timeout: int, lock_timeout: int) -> StringCommand:
    return StringCommand("apt-get fetch", *packages, "instead of", *instead_of, f"(within {timeout} s)")


def _remove(packages: Sequence[str], purge: bool, timeout: int, lock_timeout: int) -> StringCommand:
    return StringCommand("apt-get purge" if purge else "apt-get remove", *packages, f"(within {timeout} s)")


def _dnf(arguments: Sequence[str], timeout: int, lock_timeout: int) -> StringCommand:
    return StringCommand("dnf", *arguments, f"(within {timeout} s)")


def _scripted(facts: Facts) -> Callable[..., Any]:
    def get_fact(fact: type[FactBase[Any]], *args: Any, **kwargs: Any) -> Any:
        if fact not in facts:
            return fact.default()
        value = facts[fact]
        if not callable(value):
            return value
        return value(*args, **{key: argument for key, argument in kwargs.items() if not key.startswith("_")})

    return get_fact


def _operation(state: Any, host: Host, op_hash: str, noops: list[str]) -> str:
    operation = state.ops[host].get(op_hash)
    names = " / ".join(sorted(state.get_op_meta(op_hash).names))
    if operation is None or not operation.operation_meta.is_complete():
        return f"{names}\n     not reached\n"
    commands = operation.operation_meta._commands or []
    lines = [line for command in commands for line in _lines(command)]
    if not commands:
        lines = [f"nothing to do: {text}" for text in noops] or ["nothing to do"]
    if not operation.operation_meta.did_succeed():
        lines.append("failed")
    return "".join([f"{names}\n", *(f"     {line}\n" for line in lines)])


def _lines(command: PyinfraCommand) -> Iterator[str]:
    if isinstance(command, StringCommand):
        yield command.get_masked_value()
    elif isinstance(command, FileUploadCommand):
        yield f"upload {command.dest}"
        yield from (f"| {line}".rstrip() for line in _text(command.src).splitlines())
    elif isinstance(command, FunctionCommand):
        yield f"call {command.function.__name__}({', '.join(map(repr, command.args))})"
    else:
        yield repr(command)


def _text(source: Any) -> str:
    if not hasattr(source, "read"):
        return Path(source).read_text(encoding="utf-8")
    source.seek(0)
    content = source.read()
    return content.decode() if isinstance(content, bytes) else str(content)
