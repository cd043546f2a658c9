"""A fabric of one switch in a single lab host, simulated by ibsim: two adapters whose programs are the real ones."""

from __future__ import annotations

from gpufleet.lab import waiting
from gpufleet.lab.hosts import LabHost

DEVICES = ("mlx5_0", "mlx5_1")
#: GUIDs that ibsim gives to the ports of the first and the second adapter of a file.
GUIDS = {"mlx5_0": "0x0000000000100001", "mlx5_1": "0x0000000000100003"}
NET = """\
Switch	16 "leaf-01"
[1]	"gpu-01 mlx5_0"[1]
[2]	"gpu-01 mlx5_1"[1]

Hca	1 "gpu-01 mlx5_0"
[1]	"leaf-01"[1]

Hca	1 "gpu-01 mlx5_1"
[1]	"leaf-01"[2]

"""
#: Stands before the diagnostics in the path, as the simulated device is chosen by the library that is loaded.
LAUNCHER = """\
#!/bin/sh
device= previous=
for word in "$@"; do [ "$previous" != -C ] || device=$word; previous=$word; done
for name in ${device:-$([ "${0##*/}" != ibstat ] && echo mlx5_0 || echo mlx5_0 mlx5_1)}; do
  ( set -a; . /etc/ibsim/$name-1; exec /usr/sbin/${0##*/} "$@" )
done
"""
DROP_IN = "[Service]\\nEnvironmentFile=/etc/ibsim/%%i\\n"
SET_UP = r"""
set -e
apt-get -qq update
DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends ibsim-utils infiniband-diags
mkdir -p /opt/ibsim /etc/ibsim /etc/systemd/system/gpufleet-opensm@.service.d
library=$(find /usr/lib -name libumad2sim.so | head -n 1)
for device in mlx5_0 mlx5_1; do
  LC_ALL=C sed "s/ibsim0/$device/g" "$library" >/opt/ibsim/$device.so
  printf 'LD_PRELOAD=/opt/ibsim/%s.so\nSIM_HOST="gpu-01 %s"\nIBSIM_SERVER_NAME=127.0.0.1\nIBSIM_SERVER_PORT=7070\n' \
    $device $device >/etc/ibsim/$device-1
done
for program in ibstat sminfo smpquery saquery; do install -m 755 /opt/ibsim/launcher /usr/local/sbin/$program; done
systemd-run --quiet --unit=ibsim /usr/bin/ibsim -s -n -r -l 7070 /opt/ibsim/net
"""


def set_up(host: LabHost) -> None:
    """Install the simulator, serve the fabric, and have every program of the host use it."""
    for path, text in (("net", NET), ("launcher", LAUNCHER)):
        host.execute(f"mkdir -p /opt/ibsim && cat >/opt/ibsim/{path} <<'END'\n{text}END")
    host.execute(SET_UP)
    folder = "/etc/systemd/system/gpufleet-opensm@.service.d"
    host.execute(f"printf '{DROP_IN}' >{folder}/simulated.conf")
    wait_for(host, "ibstat -p", GUIDS["mlx5_1"])


def wait_for(host: LabHost, command: str, expected: str, seconds: float = 30) -> None:
    """Wait until a command prints something."""

    def seen() -> tuple[bool, str]:
        result = host.execute(command, check=False)
        return expected in result.stdout, result.stdout + result.stderr

    waiting.until(host.container, f"{expected} of {command}", seen, seconds)
