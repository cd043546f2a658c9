"""What hosts compile is kept for the next host: DKMS builds the same driver for the same kernel again and again.

Debian's kernel headers put ccache before the compiler where DEBIAN_KERNEL_USE_CCACHE is set (.kernelvariables in
linux-headers-*-amd64); DKMS and the build of the module are as ever. A host with CCACHE_DISABLE in its environment
compiles everything itself: benchmarks want that.

ccache can keep nothing of the compile probes by which NVIDIA's build learns what the kernel has: a program before it
does.

Where a kernel has its modules compressed (Debian 13) DKMS compresses them too, for half a minute a driver at its usual
effort; lab hosts ask it for the least.
"""

from __future__ import annotations

from pathlib import Path

from gpufleet.lab.bundle import Entry
from gpufleet.project import cache_dir

#: Where hosts see the cache, which all labs of this machine share.
TARGET = "/var/cache/gpufleet-lab-ccache"
DISABLE = "CCACHE_DISABLE"
SETTINGS = {"DEBIAN_KERNEL_USE_CCACHE": "1", "CCACHE_DIR": TARGET, "CCACHE_MAXSIZE": "2G"}
#: Stands before ccache in PATH, also in the one that apt gives dpkg, which has no /usr/local (apt.conf(5), DPkg::Path).
PROBES = Path(__file__).parent / "compile-probes"
#: DKMS's own options for xz, with the effort last.
EFFORT = 'compress_xz_opts="--check=crc32 -0"\n'


def files() -> list[Entry]:
    """What puts the settings into the environment of logins (PAM), of what sudo runs, and of services, and more."""
    logins = "".join(f"{name}={value}\n" for name, value in SETTINGS.items())
    services = " ".join(f"{name}={value}" for name, value in SETTINGS.items())
    kept = " ".join((*SETTINGS, DISABLE))
    return [
        Entry("/usr/sbin/ccache", PROBES.read_bytes(), 0o755),
        Entry("/etc/environment", logins.encode()),
        Entry("/etc/sudoers.d/gpufleet-lab", f'Defaults env_keep += "{kept}"\n'.encode(), 0o440),
        Entry("/etc/dkms/framework.conf.d/gpufleet-lab.conf", EFFORT.encode()),
        Entry("/etc/systemd/system.conf.d/gpufleet-lab.conf", f"[Manager]\nDefaultEnvironment={services}\n".encode()),
    ]


def directory() -> Path:
    """The cache, on the machine."""
    path = cache_dir() / "ccache"
    path.mkdir(parents=True, exist_ok=True)
    return path
