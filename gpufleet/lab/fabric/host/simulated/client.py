"""What the simulator says of a port, asked in its own words.

Messages: include/ibsim.h of linux-rdma/ibsim 0.12 (sim_ctl, sim_client_info), in the machine's byte order. PortInfo:
InfiniBand architecture specification 1, section 14.2.5.6, in network order.
"""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Iterator
from typing import NamedTuple

_HEAD = struct.Struct("=IIII64s")
_MAGIC = 0xDEADBEEF
_ERROR, _CONNECT, _DISCONNECT, _PORTINFO, _PKEYS = 0, 1, 2, 8, 10
#: Seconds for an answer: the simulator serves one program after the other.
SECONDS = 5.0


class PortState(NamedTuple):
    """One port as its subnet manager and its cable left it."""

    state: int
    physical: int
    lid: int
    manager_lid: int
    prefix: int
    width: int
    speed: int
    extended: int
    pkeys: tuple[int, ...]


def ask(server: str, port: int, node: str) -> PortState:
    """Return the state of a node's port; raises OSError where the simulator does not answer, or has no place."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        wire.settimeout(SECONDS)
        wire.connect((server, port))
        with attached(wire, node, wire.getsockname()[1]) as number:
            info = _exchange(wire, _PORTINFO, number)
            return read(info, _exchange(wire, _PKEYS, number))


@contextlib.contextmanager
def attached(wire: socket.socket, node: str, answers: int) -> Iterator[int]:
    """Be attached at a node, with packets answered to a port of ours; yields the number of our place."""
    wanted = struct.pack("=III32s", answers, 0, 0, node.encode())
    number = struct.unpack_from("=I", _exchange(wire, _CONNECT, 0, wanted))[0]
    try:
        yield number
    finally:
        _exchange(wire, _DISCONNECT, number)


def _exchange(wire: socket.socket, kind: int, client: int, data: bytes = b"") -> bytes:
    wire.send(_HEAD.pack(_MAGIC, client, kind, len(data), data))
    _, _, answered, _, content = _HEAD.unpack(wire.recv(_HEAD.size))
    if answered == _ERROR:
        raise ConnectionRefusedError(f"the simulator refuses request {kind}")
    return bytes(content)


def read(info: bytes, pkeys: bytes) -> PortState:
    """Read the 64 bytes of PortInfo, and the first 32 partition keys."""
    prefix, lid, manager_lid = struct.unpack_from(">QHH", info, 8)
    width, state, physical = info[31], info[32] & 0xF, info[33] >> 4
    keys = struct.unpack(">32H", pkeys)
    return PortState(state, physical, lid, manager_lid, prefix, width, info[35] >> 4, info[62] >> 4, keys)
