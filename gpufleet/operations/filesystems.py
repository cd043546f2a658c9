"""File systems that must be there before anything is written below them."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from pyinfra.api.operation import operation
from pyinfra.context import host

from gpufleet.facts.filesystems import MountPoint
from gpufleet.operations import failure

Commands = Generator[Any, None, None]


@operation()
def required(directory: str, mount: str, option: str) -> Commands:
    """
    Refuse a host on which a directory does not lie on the file system that is mounted at a place.

    + directory: path of the data
    + mount: where the file system is to be mounted
    + option: role and option that say so

    **Example:**

    .. code:: python

        filesystems.required(
            name="See that /data is mounted", directory="/data/x", mount="/data", option="x.filesystem"
        )
    """
    there = host.get_fact(MountPoint, directory=directory)
    if there == mount:
        host.noop(f"{directory} lies on the file system at {mount}")
        return
    yield failure(
        f"{host.name}: {option}",
        expected=f"{directory} on the file system mounted at {mount}",
        found=f"it on the one at {there or '/'}",
        cure=f"mount it at {mount}, for this boot and in /etc/fstab, or correct {option}",
    )
