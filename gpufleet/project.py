"""Where the project's rooms are: the checkout that holds deploys/, roles/, templates/ and tests/verify/."""

from __future__ import annotations

import os
from pathlib import Path

#: Root of the checkout that this package was installed from (`pip install -e`).
ROOT = Path(__file__).resolve().parents[1]


def cache_dir() -> Path:
    """Directory for downloads and images that may be lost: `$XDG_CACHE_HOME/gpufleet`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gpufleet"


def state_dir() -> Path:
    """Directory for what must survive the shell: `$GPUFLEET_STATE_DIR`, else `$XDG_STATE_HOME/gpufleet`."""
    if chosen := os.environ.get("GPUFLEET_STATE_DIR"):
        return Path(chosen)
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "gpufleet"
