"""The kernel log of a lab host: /run/gpufleet-lab/kmsg, one `SECONDS.MICROSECONDS message` a line."""

from __future__ import annotations

import time

from . import paths

LOG = paths.STATE / "kmsg"


def uptime() -> float:
    """Seconds since the host's boot: since PID 1 of the container, or the outer boot where it cannot be told."""
    try:
        return time.time() - (paths.STATE / "kernel").stat().st_mtime
    except OSError:
        return time.clock_gettime(time.CLOCK_BOOTTIME)


def log(message: str) -> None:
    """Add one message, as printk would."""
    LOG.parent.mkdir(parents=True, exist_ok=True)
    with LOG.open("a") as stream:
        stream.write(f"{uptime():.6f} {message}\n")


def entries() -> list[tuple[float, str]]:
    """All messages since boot or since `dmesg -C`, with their times in seconds."""
    lines = paths.text(LOG).splitlines()
    return [(float(stamp), message) for stamp, _, message in (line.partition(" ") for line in lines)]
