"""Kernel modules and kernel settings."""

from __future__ import annotations

from gpufleet.operations import files, kernel, sysctl
from roles.base.options import Base


def load_modules(options: Base) -> None:
    """Load modules now and at every boot."""
    files.rendered(
        path="etc/modules-load.d/gpufleet.conf", modules=options.modules, name="List the modules to load at boot"
    )
    kernel.modules_loaded(modules=options.modules, name="Load the kernel modules")


def set_sysctl(options: Base) -> None:
    """Write the settings and put them in force."""
    values = options.sysctl_text
    files.rendered(path="etc/sysctl.d/60-gpufleet.conf", values=values, name="Write the kernel settings")
    sysctl.in_force(values=values, name="Put the kernel settings in force")
