"""Keeping the files of all ports as the simulator has them."""

from __future__ import annotations

import os
import socket
import time
from typing import Any

from emulated import mounts, paths  # type: ignore[import-not-found]  # of the emulation, beside which this runs

from . import client, sysfs
from .client import PortState

#: Seconds between two looks.
INTERVAL = 1.0


def main() -> int:
    """Write every device, say that they are there, and follow the simulator until the host goes down."""
    if not os.path.ismount(sysfs.CLASS):
        mounts.cover(sysfs.CLASS)
    told = paths.configured("fabric.json")
    prepare(told)
    notify(b"READY=1")
    while True:
        time.sleep(INTERVAL)
        follow(told)
        sysfs.sweep()


def prepare(told: dict[str, Any]) -> None:
    """Write all files of all devices."""
    host = sysfs.host_name()
    for adapter in told["adapters"]:
        sysfs.write(adapter, sysfs.device_files(adapter, host) | sysfs.port_files(adapter, sysfs.UNPLUGGED))
        sysfs.link(adapter)
    follow(told)


def follow(told: dict[str, Any]) -> None:
    """Write what the ports of planned devices are now; without an answer they are down."""
    for adapter in told["adapters"]:
        if adapter["node"]:
            sysfs.write(adapter, sysfs.port_files(adapter, state(told, str(adapter["node"]))))


def state(told: dict[str, Any], node: str) -> PortState:
    """Ask about one port; an occupied simulator is asked again."""
    for _ in range(20):
        try:
            return client.ask(str(told["server"]), int(told["port"]), node)
        except ConnectionRefusedError:
            time.sleep(0.2)
        except OSError:
            break
    return sysfs.UNPLUGGED


def notify(message: bytes) -> None:
    """Tell systemd, if it was systemd that started this."""
    if address := os.environ.get("NOTIFY_SOCKET"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.connect(f"\0{address[1:]}" if address.startswith("@") else address)
            manager.send(message)
