"""What a port of the simulated fabric enables, changed as a subnet manager changes it.

Packets of a program to ibsim: include/ibsim.h of linux-rdma/ibsim 0.12 (sim_request). Management datagrams: InfiniBand
architecture specification 1, sections 14.2.1.2 (directed route) and 14.2.5.6 (PortInfo).
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Mapping

from gpufleet.errors import LabError
from gpufleet.lab.fabric.host.simulated import client

_PACKET = struct.Struct("=IIIII4xQ256s")
#: Head of a datagram: version, class, class version, method, status, hops, transaction, attribute, modifier, key, LIDs.
_HEAD = struct.Struct(">BBBBHBBQHHIQHH")
#: Seconds for a place at the simulator.
SECONDS = 30.0
#: By this transaction `answers.c` knows the lab: what others enable is left alone.
_TRANSACTION = int.from_bytes(b"gpufleet", "big")
_GET, _SET, _DIRECTED, _PORTINFO = 1, 2, 0x81, 0x15
_PERMISSIVE, _DATA = 0xFFFF, 64
_STATE, _PHYSICAL = 32, 33
#: Where PortInfo has what is enabled, and which bits of that byte.
_PLACES: Mapping[str, tuple[int, int]] = {"width": (29, 0xFF), "speed": (35, 0x0F), "extended": (63, 0x1F)}


def enable(server: str, port: int, node: str, number: int, **settings: int) -> None:
    """Set `width`, `speed` or `extended` of a node's port; ibsim takes them up at once at both ends of the link.

    Raises LabError where the simulator does not do it, and has had no place for long.
    """
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            return _enable(server, port, node, number, settings)
        except OSError as error:
            if not isinstance(error, ConnectionRefusedError) or time.monotonic() > deadline:
                cure = "see that its container runs, and run the command again"
                raise LabError(
                    f"{node}/{number}", expected="an answer of ibsim", found=str(error), cure=cure
                ) from error
        time.sleep(0.2)  # ten programs have a place, and most of them only for a moment


def _enable(server: str, port: int, node: str, number: int, settings: Mapping[str, int]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire, socket.socket(type=socket.SOCK_DGRAM) as packets:
        for one in (wire, packets):
            one.settimeout(client.SECONDS)
            one.connect((server, port))
        with client.attached(wire, node, packets.getsockname()[1]) as place:
            packets.connect((server, port + 1 + place))
            _exchange(packets, _SET, number, changed(_exchange(packets, _GET, number, bytes(64)), settings))


def changed(info: bytes, settings: Mapping[str, int]) -> bytes:
    """Return PortInfo with other settings, and without a change of states."""
    new = bytearray(info)
    new[_STATE] &= 0xF0
    new[_PHYSICAL] &= 0x0F
    for name, value in settings.items():
        at, mask = _PLACES[name]
        new[at] = new[at] & ~mask | value
    return bytes(new)


def _exchange(packets: socket.socket, method: int, number: int, info: bytes) -> bytes:
    head = _HEAD.pack(1, _DIRECTED, 1, method, 0, 0, 0, _TRANSACTION, _PORTINFO, 0, number, 0, _PERMISSIVE, _PERMISSIVE)
    datagram = head.ljust(_DATA, b"\0") + info
    ends = socket.htons(_PERMISSIVE)
    packets.send(_PACKET.pack(ends, ends, 0, 0, 0, len(datagram), datagram))
    *_, status, _, answer = _PACKET.unpack(packets.recv(_PACKET.size))
    if failed := status or struct.unpack_from(">H", answer, 4)[0] & 0x7FFF:
        raise OSError(f"status {failed:#x}")
    return bytes(answer[_DATA : _DATA + 64])
