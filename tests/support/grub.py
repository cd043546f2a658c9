"""Debian's own GRUB on a lab host, which has no disk: only the program that looks for one answers of itself."""

from __future__ import annotations

from gpufleet.lab.hosts import LabHost

_PROBE = """\
#!/bin/sh
case "$*" in
  *--target=device*) echo /dev/sda2 ;;
  *--target=fs_uuid*) echo 5f1b1d10-7e5e-4c57-9b0c-1c1d3b0a0f11 ;;
  *--target=fs*) echo ext2 ;;
  *--target=partmap*) echo gpt ;;
esac
"""
_INSTALL = f"""\
set -e
apt-get -qq update
DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends grub2-common >/dev/null
dpkg-divert --quiet --rename --add /usr/sbin/grub-probe
cat >/usr/sbin/grub-probe <<'END'
{_PROBE}END
chmod 755 /usr/sbin/grub-probe
mkdir -p /boot/grub
update-grub 2>/dev/null
"""


def install(host: LabHost) -> None:
    """Install GRUB and have it write its menu, as an installed machine has one."""
    host.execute(_INSTALL)


def entries(host: LabHost) -> list[list[str]]:
    """Words of each line of the menu that starts a kernel; GRUB's own parser has read the whole menu before."""
    host.execute("grub-script-check /boot/grub/grub.cfg")
    lines = host.execute("sed -n 's/^[[:space:]]*linux[[:space:]]//p' /boot/grub/grub.cfg").stdout.splitlines()
    return [line.split() for line in lines]
