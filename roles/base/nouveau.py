"""nouveau, the free driver that takes every NVIDIA GPU it finds unless it is told not to."""

from __future__ import annotations

from gpufleet.facts.family import EL
from gpufleet.operations import files, initramfs, unload

BLACKLIST = "etc/modprobe.d/gpufleet-nouveau.conf"
DRACUT = "etc/dracut.conf.d/gpufleet-nouveau.conf"


def keep_away(family: str) -> None:
    """Blacklist nouveau, in the initramfs too, and get rid of it where it runs."""
    if family == EL:
        files.rendered(path=DRACUT, blacklist=BLACKLIST, name="Have dracut put the blacklist into every initramfs")
    files.rendered(path=BLACKLIST, name="Blacklist nouveau")
    initramfs.newer_than(path=f"/{BLACKLIST}", name="Rebuild each initramfs older than the blacklist")
    unload.now_or_at_reboot(
        module="nouveau",
        key="nouveau",
        text="kernel module nouveau is in use; it is blacklisted and stays away after a reboot",
        name="Unload nouveau, or record that it needs a reboot",
    )
