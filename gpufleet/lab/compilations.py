"""What hosts compile is kept for the next host: DKMS builds the same driver for the same kernel again and again.

Debian's kernel headers put ccache before the compiler where DEBIAN_KERNEL_USE_CCACHE is set (.kernelvariables in
linux-headers-*-amd64); DKMS and the build of the module are as ever. A host with CCACHE_DISABLE in its environment
compiles everything itself: benchmarks want that.
"""

from __future__ import annotations

from pathlib import Path

from gpufleet.lab.bundle import Entry
from gpufleet.project import cache_dir

#: Where hosts see the cache, which all labs of this machine share.
TARGET = "/var/cache/gpufleet-lab-ccache"
DISABLE = "CCACHE_DISABLE"
SETTINGS = {"DEBIAN_KERNEL_USE_CCACHE": "1", "CCACHE_DIR": TARGET, "CCACHE_MAXSIZE": "2G"}


def files() -> list[Entry]:
    """Files that put the settings into the environment of logins (PAM), of what sudo runs, and of services."""
    logins = "".join(f"{name}={value}\n" for name, value in SETTINGS.items())
    services = " ".join(f"{name}={value}" for name, value in SETTINGS.items())
    kept = " ".join((*SETTINGS, DISABLE))
    return [
        Entry("/etc/environment", logins.encode()),
        Entry("/etc/sudoers.d/gpufleet-lab", f'Defaults env_keep += "{kept}"\n'.encode(), 0o440),
        Entry("/etc/systemd/system.conf.d/gpufleet-lab.conf", f"[Manager]\nDefaultEnvironment={services}\n".encode()),
    ]


def directory() -> Path:
    """The cache, on the machine."""
    path = cache_dir() / "ccache"
    path.mkdir(parents=True, exist_ok=True)
    return path
