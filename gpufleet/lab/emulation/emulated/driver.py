"""The driver as a program finds it: which module is loaded, which library is installed, who holds it open."""

from __future__ import annotations

import re

from . import paths

NOT_RUNNING = (
    "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. "
    "Make sure that the latest NVIDIA driver is installed and running.\n"
)
NO_LIBRARY = (
    "NVIDIA-SMI couldn't find libnvidia-ml.so library in your system. Please make sure that the NVIDIA Display Driver "
    "is properly installed and present in your system.\n"
    "Please also try adding directory that contains libnvidia-ml.so to your system PATH."
)
#: Where Debian and Ubuntu keep libraries, and where Enterprise Linux does.
_LIBRARIES = [paths.ROOT / folder / "libnvidia-ml.so.1" for folder in ("usr/lib/x86_64-linux-gnu", "usr/lib64")]


class DriverError(Exception):
    """NVIDIA's text and exit status for a driver that cannot be talked to."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


def loaded_version() -> str:
    """Version of the loaded nvidia module, or nothing."""
    return paths.text(paths.MODULES / "nvidia/version")


def library_version() -> str:
    """Version of the installed libnvidia-ml, from the name of the file its links end at, or nothing."""
    path = next((path for path in _LIBRARIES if path.exists()), None)
    found = re.search(r"libnvidia-ml\.so\.(\d+\.[\d.]+)$", str(path.resolve())) if path else None
    return found[1] if found else ""


def version() -> str:
    """The one version of module and library; DriverError where NVML would not start."""
    module, library = loaded_version(), library_version()
    if not library:
        raise DriverError(NO_LIBRARY, 12)
    if not module:
        raise DriverError(NOT_RUNNING, 9)
    if module != library:
        short = ".".join(library.split(".")[:2])
        mismatch = "Failed to initialize NVML: Driver/library version mismatch\nNVML library version: "
        raise DriverError(mismatch + short, 18)
    return module


def persistence() -> bool:
    """Whether persistence mode is on: by a living daemon in that mode, or by the old `nvidia-smi -pm 1`."""
    return (paths.STATE / "persistence-legacy").exists() or daemon_mode() == "1"


def daemon_mode() -> str:
    """Mode that a running nvidia-persistenced keeps: 1, 0, or nothing where no daemon runs."""
    pid = paths.text(paths.ROOT / "run/nvidia-persistenced/nvidia-persistenced.pid")
    return paths.text(paths.STATE / "persistence-mode") if pid and (paths.PROC / pid).is_dir() else ""


def set_persistence(on: bool) -> None:
    """Do what `nvidia-smi -pm` does: tell the daemon where one runs, else set the old mode."""
    if daemon_mode():
        paths.put(paths.STATE / "persistence-mode", str(int(on)), 0o644)
    elif on:
        paths.put(paths.STATE / "persistence-legacy", "1")
    else:
        (paths.STATE / "persistence-legacy").unlink(missing_ok=True)


def cuda_version(driver: str) -> str:
    """Newest CUDA that a driver branch runs, as the toolkits' release notes have it."""
    known = {
        **{"470": "11.4", "525": "12.0", "535": "12.2", "550": "12.4", "560": "12.6", "570": "12.8", "575": "12.9"},
        **{"580": "13.0", "590": "13.1", "595": "13.2", "610": "13.3"},
    }
    return known.get(driver.split(".", maxsplit=1)[0], "N/A")
