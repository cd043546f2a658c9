"""Proxies of the environment, which lead elsewhere than to the lab's own network or to loopback."""

from __future__ import annotations

import os

import pytest


def forget(patch: pytest.MonkeyPatch) -> None:
    """Take all of them out of the environment, for as long as the patch is."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        patch.delenv(name)
