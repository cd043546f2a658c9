"""Boot images: rebuilt where they are older than what they should contain."""

from __future__ import annotations

from collections.abc import Generator

from pyinfra.api.command import QuoteString, StringCommand
from pyinfra.api.operation import operation
from pyinfra.context import host

from gpufleet.facts.family import EL, OsFamily
from gpufleet.facts.initramfs import StaleImages

Commands = Generator[StringCommand, None, None]


@operation()
def newer_than(path: str, timeout: int = 600) -> Commands:
    """
    Rebuild the initramfs of every kernel whose image is not newer than a file: by dracut on EL, else initramfs-tools.

    + path: the file, such as a drop-in in /etc/modprobe.d; or its directory, which is as new as the last file removed
    + timeout: seconds after which one build is stopped on the host

    **Example:**

    .. code:: python

        initramfs.newer_than(path="/etc/modprobe.d/nouveau.conf", name="Put the blacklist into the initramfs")
    """
    stale = host.get_fact(StaleImages, path=path)
    # Want every image newer than the file and have them?
    if not stale:
        host.noop(f"every initramfs is newer than {path}")
        return
    is_el = host.get_fact(OsFamily) == EL
    build = ["dracut", "--force", "--kver"] if is_el else ["update-initramfs", "-u", "-k"]
    for kernel in stale:
        yield StringCommand("timeout", str(timeout), *build, QuoteString(kernel))
