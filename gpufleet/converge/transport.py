"""The SSH connection of a wave: without Nagle's delay, closed for good at the end, and able to say why it failed."""

from __future__ import annotations

import logging
import re
import socket
from collections import defaultdict, deque
from typing import Any

from paramiko import AuthenticationException, BadHostKeyException, Channel
from paramiko.ssh_exception import NoValidConnectionsError
from pyinfra.api.exceptions import ConnectError
from pyinfra.api.host import Host
from pyinfra.api.state import BaseStateCallback, State
from pyinfra.connectors.sshuserclient.client import SSHClient
from pyinfra.connectors.util import remove_any_sudo_askpass_file

from gpufleet.converge.messages import Login
from gpufleet.converge.state import CURRENT

ANSI = re.compile(r"\x1b\[[0-9;]*m")


class Client(SSHClient):
    """pyinfra's SSH client, but the exit status of the last command is kept."""

    channel: Channel | None = None

    def exec_command(self, *args: Any, **kwargs: Any) -> Any:
        """Run a command, and remember its channel."""
        buffers = super().exec_command(*args, **kwargs)
        self.channel = buffers[1].channel
        return buffers


def exit_status(host: Host) -> int | None:
    """Exit status of the host's last command, None where it has none."""
    channel = getattr(getattr(host.connector, "client", None), "channel", None)
    if channel is None or not channel.exit_status_ready():
        return None
    status: int = channel.recv_exit_status()
    return None if status < 0 else status


def close(host: Host) -> None:
    """End the connection: pyinfra's own disconnect leaves it open."""
    remove_any_sudo_askpass_file(host)
    client = getattr(host.connector, "client", None)
    if client is not None:
        client.close()
    host.connected = False


class ConnectionCallback(BaseStateCallback):
    """What pyinfra leaves to be done to a connection, at first and after each reboot."""

    @staticmethod
    def host_connect(state: State, host: Host) -> None:
        """Let each small packet leave at once: Nagle's algorithm costs 40 ms a command."""
        client = getattr(host.connector, "client", None)
        connection = getattr(client.get_transport(), "sock", None) if client is not None else None
        if isinstance(connection, socket.socket):  # a ProxyCommand is none
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    @staticmethod
    def host_disconnect(state: State, host: Host) -> None:
        """Close the client that the connector only forgets."""
        client = getattr(host.connector, "client", None)
        if client is not None:
            client.close()


def login(host: Host) -> Login:
    """How the host is reached, from its data."""
    data = host.connector.data if isinstance(host.connector.data, dict) else {}
    known_hosts = data.get("ssh_known_hosts_file") or Login.known_hosts
    return Login(
        host=host.name,
        address=data.get("ssh_hostname") or host.name,
        port=int(data.get("ssh_port") or 22),
        user=data.get("ssh_user") or "",
        key=str(data.get("ssh_key") or ""),
        known_hosts=str(known_hosts),
    )


def connect_problem(host: Host, error: ConnectError) -> str:
    """Why no connection came about: pyinfra flattens the cause into a text but keeps it as the exception's context."""
    way, cause, text = login(host), error.__context__, str(error)
    if isinstance(cause, AuthenticationException):
        return way.login_refused()
    if isinstance(cause, BadHostKeyException):
        return way.key_differs()
    if "No host key for" in text:
        return way.key_unknown()
    return way.unreachable(_network_problem(cause, text, host.state.config.CONNECT_TIMEOUT))


def _network_problem(cause: BaseException | None, text: str, timeout: int) -> str:
    if isinstance(cause, NoValidConnectionsError):
        cause = next(iter(cause.errors.values()))
    if isinstance(cause, ConnectionRefusedError):
        return "the connection refused"
    if isinstance(cause, TimeoutError):
        return f"no answer within {timeout} s"
    if isinstance(cause, socket.gaierror):
        return "no such name"
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror.lower()
    return f"`{text}`"


class Diagnosis(logging.Handler):
    """pyinfra's warnings and errors by host: the only place where it tells why a fact or an upload failed."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: defaultdict[str, deque[str]] = defaultdict(lambda: deque(maxlen=50))

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one line of the host whose greenlet logs."""
        host: Host | None = CURRENT.get()
        if host is not None:
            text = ANSI.sub("", record.getMessage())
            self.lines[host.name].append(text.removeprefix(ANSI.sub("", host.print_prefix)))

    def begin(self, host: Host) -> None:
        """Forget what was said before an operation."""
        self.lines[host.name].clear()

    def of(self, host: Host) -> list[str]:
        """What was said since."""
        return list(self.lines[host.name])
