"""From where to look: one device of the asked host for each part of the plan that no cable connects with another."""

from __future__ import annotations

from gpufleet.errors import GpufleetError
from gpufleet.fabric.paths import groups
from gpufleet.fabric.plan import Plan
from gpufleet.nearest import did_you_mean


def host_to_ask(plan: Plan, host: str | None) -> str:
    """Return the host to ask: the one named, which must be in the plan, else the plan's first."""
    hosts = plan.hosts
    if not hosts:
        cure = "declare hosts, or name a saved file with --from"
        raise GpufleetError(str(plan.path), expected="a host to ask", found="none in the plan", cure=cure)
    if host is not None and host not in hosts:
        cure = did_you_mean(host, [], "hosts", others=hosts)
        cure = cure if cure.startswith("did") else "name a host that the plan has"
        raise GpufleetError("--host", expected="a host of the plan", found=host, cure=cure)
    return host or next(iter(hosts))


def devices_to_ask(plan: Plan, host: str) -> list[str]:
    """Return the device names of a host through which every part of the plan that it belongs to is seen once."""
    part_of = groups((a.node, b.node) for a, b, *_ in plan.cables)
    first: dict[str, str] = {}
    for device in plan.hosts[host]:
        first.setdefault(part_of.get(device, device), device.partition(" ")[2])
    return list(first.values())
