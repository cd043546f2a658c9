"""Files of /sys/class/infiniband, with the words of the kernel (drivers/infiniband/core/sysfs.c)."""

from __future__ import annotations

import os
from typing import Any

from emulated import paths  # type: ignore[import-not-found]  # of the emulation, beside which this runs

from .client import PortState
from .rates import rate

CLASS = paths.ROOT / "sys/class/infiniband"
STATES = {1: "DOWN", 2: "INIT", 3: "ARMED", 4: "ACTIVE", 5: "ACTIVE_DEFER"}
PHYSICAL = {
    1: "Sleep",
    2: "Polling",
    3: "Disabled",
    4: "PortConfigurationTraining",
    5: "LinkUp",
    6: "LinkErrorRecovery",
}
#: First half of every GID until a subnet manager gives another.
DEFAULT_PREFIX = 0xFE80 << 48
#: A port without a cable, before a subnet manager was ever there.
UNPLUGGED = PortState(1, 2, 0, 0, DEFAULT_PREFIX, 2, 1, 0, (0xFFFF, *[0] * 31))


def device_files(adapter: dict[str, Any], host: str) -> dict[str, str]:
    """Files of a device that never change."""
    guid = _guid(int(adapter["guid"], 16))
    return {
        "node_guid": guid,
        "sys_image_guid": guid,
        "node_desc": f"{host} {adapter['name']}",
        "node_type": "1: CA",
        "ports/1/link_layer": adapter["link_layer"],
    }


def port_files(adapter: dict[str, Any], port: PortState) -> dict[str, str]:
    """Files of a device's only port; on an Ethernet port the tables of InfiniBand are empty."""
    files = {
        "state": f"{port.state}: {STATES.get(port.state, 'NOP')}",
        "phys_state": f"{port.physical}: {PHYSICAL.get(port.physical, '<unknown>')}",
        "rate": rate(port),
        "lid": f"{port.lid:#x}",
        "lid_mask_count": "0",
        "sm_lid": f"{port.manager_lid:#x}",
        "sm_sl": "0",
    }
    if adapter["link_layer"] == "InfiniBand":
        files["gids/0"] = f"{_guid(port.prefix or DEFAULT_PREFIX)}:{_guid(int(adapter['guid'], 16) + 1)}"
        files |= {f"pkeys/{index}": f"{key:#06x}" for index, key in enumerate(port.pkeys)}
    return {f"ports/1/{name}": content for name, content in files.items()}


def _guid(number: int) -> str:
    return ":".join(f"{number >> shift & 0xFFFF:04x}" for shift in (48, 32, 16, 0))


def write(adapter: dict[str, Any], files: dict[str, str]) -> None:
    """Bring files of a device to their contents, each at once, as programs read them all the time."""
    for name, content in files.items():
        path = CLASS / str(adapter["name"]) / name
        if paths.text(path, "-") != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            new = path.with_name(f".{path.name}.new")
            paths.put(new, content)
            new.replace(path)


def link(adapter: dict[str, Any]) -> None:
    """Tie a device to its function on the bus, both ways."""
    folder, device = paths.DEVICES / str(adapter["address"]), CLASS / str(adapter["name"])
    paths.link(device / "device", folder)
    paths.link(folder / "infiniband" / device.name, device)


def sweep() -> None:
    """Remove the folders that killed programs left behind."""
    for path in (paths.ROOT / "tmp").glob(".gpufleet-lab-fabric-*"):
        if not (paths.PROC / path.name.rpartition("-")[2]).exists():
            paths.remove_tree(path)


def host_name() -> str:
    """Name of this host, as rdma-ndd puts it before the device's."""
    return os.uname().nodename.partition(".")[0]
