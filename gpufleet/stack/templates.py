"""Package names of the matrix with their gaps filled in."""

from __future__ import annotations

import re


def fill(template: str, branch: int, version: str, kernel: str) -> str:
    """Put branch, version and kernel into a name such as `linux-modules-nvidia-{branch}-server-{kernel}`."""
    flavor = re.sub(r"\d", "", kernel.rpartition("-")[2])
    values = {"branch": str(branch), "version": version, "kernel": kernel, "kernel_flavor": flavor}
    for name, value in values.items():
        template = template.replace(f"{{{name}}}", value)
    return template
