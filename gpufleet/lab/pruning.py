"""Images that nobody needs any more: earlier contents of the lab's own repository."""

from __future__ import annotations

import datetime
from collections.abc import Iterable

from gpufleet.lab import docker
from gpufleet.lab.recipe import REPOSITORY

#: How long an image stays after it was made. A lab of another checkout may be about to start hosts from it; package
#: layers serve every content of a week.
AGES = {"host": datetime.timedelta(days=1), "base": datetime.timedelta(days=8)}
FORMAT = "{{.Repository}}:{{.Tag}}\t{{.CreatedAt}}"


def prune(kept: Iterable[str]) -> None:
    """Remove outdated images that no container uses; Docker itself refuses to remove one that is in use."""
    found = docker.lines("images", REPOSITORY, "--format", FORMAT)
    for tag in outdated(found, kept, datetime.datetime.now(datetime.UTC)):
        docker.docker("rmi", tag, check=False)


def outdated(found: Iterable[str], kept: Iterable[str], now: datetime.datetime) -> list[str]:
    """Tags, among lines of FORMAT, that are past their age and not to be kept; others' and untagged images stay."""
    wanted = set(kept)
    rows = [line.split("\t") for line in found]
    return [
        tag
        for tag, created in rows
        if tag not in wanted and (age := AGES.get(stage(tag))) and now - made(created) > age
    ]


def stage(tag: str) -> str:
    """The layer that a tag of the lab names, such as `host` in `gpufleet-lab:debian-12-host-0123`; else nothing."""
    repository, _, name = tag.partition(":")
    words = name.split("-")
    return words[-2] if repository == REPOSITORY and len(words) > 2 else ""


def made(text: str) -> datetime.datetime:
    """Docker's time of making, such as `2026-11-23 04:15:12 +0000 UTC`."""
    return datetime.datetime.strptime(" ".join(text.split()[:3]), "%Y-%m-%d %H:%M:%S %z")
