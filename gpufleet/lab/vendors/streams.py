"""Module streams of NVIDIA's driver on Enterprise Linux 9."""

from __future__ import annotations

from collections.abc import Sequence

from gpufleet.lab.vendors.rpm import Rpm


def document(built: Sequence[Rpm]) -> str:
    """The YAML of all streams."""
    return ""
