"""Boot images that were built before a file they should contain was written."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from pyinfra.api.facts import FactBase
from typing_extensions import override


class StaleImages(FactBase[list[str]]):
    """Kernels whose initramfs is not newer than a file; where the file is missing, every kernel that has one.

    The age is compared, not the content: unpacking images costs seconds, and a build that was cut short leaves the
    old image, so the next run finds it stale again.
    """

    default = list

    @override
    def command(self, path: str) -> str:
        """Name an image by its kernel; copies kept under other names, and rescue images, belong to no kernel."""
        file = shlex.quote(path)
        return (
            "for i in /boot/initrd.img-* /boot/initramfs-*.img; do k=${i#/boot/init*-}; k=${k%.img}; "
            f'[ -e "$i" ] && [ -d "/lib/modules/$k" ] && {{ [ ! -e {file} ] || [ ! "$i" -nt {file} ]; }} '
            '&& echo "$k"; done; true'
        )

    @override
    def process(self, output: Iterable[str]) -> list[str]:
        """One kernel a line."""
        return [line.strip() for line in output]
