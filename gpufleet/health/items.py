"""What a pytest item is to us: a check of a role on a host."""

from __future__ import annotations

import pytest
from testinfra.host import Host

from gpufleet.health.targets import role_of

_PARAMETER = "_testinfra_host"


def host_of(item: pytest.Item) -> Host:
    """Return testinfra's host that a check runs on; a check without a host is refused."""
    callspec = getattr(item, "callspec", None)
    host = callspec.params.get(_PARAMETER) if callspec else None
    if not isinstance(host, Host):
        where = f"{item.path.name}::{item.name}"
        raise pytest.UsageError(f"{where} without a host, which host, probe, data or declared would give it")
    return host


def host_name(item: pytest.Item) -> str:
    """Return the inventory's name of the host that a check runs on."""
    name: str = host_of(item).backend.get_hostname()
    return name


def identity(item: pytest.Item) -> dict[str, str]:
    """Return host, role and name of a check: `test_limit[ssh://gpu-01-memlock]` is `limit[memlock]` on gpu-01."""
    name, _, parameters = item.name.removeprefix("test_").removesuffix("]").partition("[")
    parameters = parameters.replace(host_of(item).backend.get_pytest_id(), "").replace("--", "-").strip("-")
    check = f"{name}[{parameters}]" if parameters else name
    return {"host": host_name(item), "role": role_of(item.path), "check": check}
