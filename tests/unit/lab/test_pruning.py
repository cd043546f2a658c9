"""Which images go, and which stay."""

from __future__ import annotations

import datetime

import pytest

from gpufleet.lab import pruning

NOW = datetime.datetime(2026, 11, 23, 12, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("tag", "created", "goes"),
    [
        ("gpufleet-lab:debian-12-host-1", "2026-11-22 11:59:59 +0000 UTC", True),
        ("gpufleet-lab:debian-12-host-1", "2026-11-22 14:59:59 +0300 MSK", True),
        ("gpufleet-lab:debian-12-host-1", "2026-11-22 12:00:01 +0000 UTC", False),
        ("gpufleet-lab:el-stand-in-base-1", "2026-11-15 11:59:59 +0000 UTC", True),
        ("gpufleet-lab:el-stand-in-base-1", "2026-11-16 12:00:00 +0000 UTC", False),
        ("gpufleet-lab:debian-12-host-kept", "2026-01-01 00:00:00 +0000 UTC", False),
        ("gpufleet-lab:<none>", "2026-01-01 00:00:00 +0000 UTC", False),
        ("debian:debian-12-host-1", "2026-01-01 00:00:00 +0000 UTC", False),
    ],
)
def test_an_image_goes_when_it_is_old_and_the_labs_own(tag: str, created: str, goes: bool) -> None:
    found = pruning.outdated([f"{tag}\t{created}"], ["gpufleet-lab:debian-12-host-kept"], NOW)
    assert found == ([tag] if goes else [])
