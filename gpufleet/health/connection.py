"""SSH to the hosts as pyinfra would connect, fast: one ssh_config of our own and one shared connection per host."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gpufleet.errors import ToolMissingError
from gpufleet.inventory.hosts import InventoryHost

#: Options that every host gets. A shared connection outlives a command by a minute unless `close` ends it first.
_COMMON = {
    "BatchMode": "yes",
    "LogLevel": "ERROR",
    "ServerAliveInterval": 5,
    "ServerAliveCountMax": 6,
    "ControlMaster": "auto",
    "ControlPersist": 60,
}

#: pyinfra's connection data and what ssh_config calls them.
_NAMES = {
    "ssh_hostname": "HostName",
    "ssh_port": "Port",
    "ssh_user": "User",
    "ssh_key": "IdentityFile",
    "ssh_known_hosts_file": "UserKnownHostsFile",
    "ssh_forward_agent": "ForwardAgent",
}


def new_directory() -> Path:
    """Create a private directory for what a run needs; not below $TMPDIR, for a socket's path may have 107 bytes."""
    return Path(tempfile.mkdtemp(prefix="gpufleet-verify-", dir="/tmp"))


def clean(directory: Path) -> None:
    """End the shared connections whose sockets are in a directory, and delete it; once more does nothing."""
    for socket in filter(Path.is_socket, directory.glob("*")):
        command = ["ssh", "-F", "/dev/null", "-o", f"ControlPath={socket}", "-O", "exit", "host"]
        subprocess.run(command, check=False, capture_output=True)
    shutil.rmtree(directory, ignore_errors=True)


class Connections:
    """An ssh_config and the sockets of shared connections in one directory; `close` leaves nothing behind."""

    def __init__(self, hosts: Sequence[InventoryHost], directory: Path) -> None:
        if not shutil.which("ssh"):
            raise ToolMissingError("ssh", expected="OpenSSH's client", found="none", cure="install openssh-client")
        self.directory = directory
        self.config = directory / "ssh_config"
        self.config.write_text("\n".join(host_block(host, directory / str(n)) for n, host in enumerate(hosts)))

    def close(self) -> None:
        """End every shared connection and delete the directory."""
        clean(self.directory)

    def specification(self, host: InventoryHost) -> str:
        """Return the host in testinfra's own notation."""
        return f"ssh://{host.name}?sudo={'true' if host.data.get('_sudo') else 'false'}&ssh_config={self.config}"


def host_block(host: InventoryHost, control_path: Path) -> str:
    """Return the ssh_config block that connects to a host as pyinfra's own connector does."""
    options = {"HostName": host.name, **ssh_options(host.data), **_COMMON, "ControlPath": control_path}
    lines = [f'  {option} "{_escaped(option, value)}"' for option, value in options.items()]
    include = host.data.get("ssh_config_file") or "~/.ssh/config"
    return "\n".join([f"Host {host.name}", *lines, f"  Include {include}", ""])


def ssh_options(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ssh_config options that say what a host's connection data say."""
    options = {option: _value(data[name]) for name, option in _NAMES.items() if data.get(name)}
    if "IdentityFile" in options:
        options["IdentitiesOnly"] = "yes"
    return options | {"StrictHostKeyChecking": data.get("ssh_strict_host_key_checking") or "accept-new"}


def _escaped(option: str, value: Any) -> str:
    """Return a value in which ssh expands nothing but a leading tilde; it expands percent signs in these options."""
    expanded = {"HostName", "IdentityFile", "UserKnownHostsFile", "ControlPath"}
    return str(value).replace("%", "%%") if option in expanded else str(value)


def _value(value: Any) -> Any:
    return "yes" if value is True else value
