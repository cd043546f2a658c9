"""A simulator that answers in ibsim's words, for one port that is as the test wants it."""

from __future__ import annotations

import socket
import struct
import threading

HEAD = struct.Struct("=IIII64s")


def port_info(state: int = 4, physical: int = 5, width: int = 2, speed: int = 4, extended: int = 8) -> bytes:
    info = bytearray(64)
    struct.pack_into(">QHH", info, 8, 0xFE80 << 48, 7, 1)
    struct.pack_into(">BxBBB", info, 29, 3, width, state, physical << 4)
    info[35], info[62], info[63] = speed << 4 | 7, extended << 4, 15
    return bytes(info)


class Ibsim:
    """Answers requests of attached programs, and datagrams to the port after its own."""

    def __init__(self) -> None:
        self.info, self.full = port_info(), 0
        self.attached: list[str] = []
        self.sockets = self._adjacent()
        self.port = int(self.sockets[0].getsockname()[1])
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    @staticmethod
    def _adjacent() -> list[socket.socket]:
        while True:
            one, other = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
            one.bind(("127.0.0.1", 0))
            try:
                other.bind(("127.0.0.1", one.getsockname()[1] + 1))
            except OSError:
                one.close()
                other.close()
            else:
                return [one, other]

    def _serve(self) -> None:
        while True:
            data, sender = self.sockets[0].recvfrom(200)
            magic, client, kind, length, content = HEAD.unpack(data)
            if kind == 99:
                return
            if kind == 1:
                self.attached.append(content[12:44].rstrip(b"\0").decode())
                kind, self.full = (0, self.full - 1) if self.full else (kind, 0)
                content = bytes(64)
            elif kind == 8:
                content = self.info
            elif kind == 10:
                content = struct.pack(">32H", 0xFFFF, 0x8012, *[0] * 30)
            self.sockets[0].sendto(HEAD.pack(magic, client, kind, length, content), sender)

    def close(self) -> None:
        self.sockets[0].sendto(HEAD.pack(0, 0, 99, 0, b""), self.sockets[0].getsockname())
        self.thread.join()
        for one in self.sockets:
            one.close()
