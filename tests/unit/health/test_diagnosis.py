"""What ssh and sudo say, as the operator reads it."""

from __future__ import annotations

from typing import Any

import pytest

from gpufleet.health.diagnosis import no_connection, no_probe
from gpufleet.inventory.hosts import InventoryHost

REFUSED = "ssh: connect to host 192.0.2.7 port 22: Connection refused"
DENIED = "operator@192.0.2.7: Permission denied (publickey)."
PASSWORD = "sudo: a password is required"
TERMINAL = "sudo: a terminal is required to read the password; either use -S or an askpass helper"
SHELL = "/bin/sh: 1: base64: not found"


def host(**data: Any) -> InventoryHost:
    return InventoryHost("gpu-01", "ssh", (), data)


@pytest.mark.parametrize(
    ("data", "errors", "message"),
    [
        (
            {"ssh_hostname": "192.0.2.7"},
            f"banner\n{REFUSED}\r\n",
            f'expected an SSH server at 192.0.2.7 port 22, found "{REFUSED}"; check the host and its network',
        ),
        (
            {"ssh_port": 2222},
            "",
            'expected an SSH server at gpu-01 port 2222, found ""; check the host and its network',
        ),
        (
            {"ssh_known_hosts_file": "kh"},
            "No ED25519 host key is known for 192.0.2.7.\nHost key verification failed.\n",
            "expected the host key recorded in kh, found another or none; "
            "compare the keys before you correct that file",
        ),
        (
            {},
            "Host key verification failed.",
            "expected the host key recorded in ~/.ssh/known_hosts, found another or none; "
            "compare the keys before you correct that file",
        ),
        (
            {"ssh_user": "operator"},
            DENIED,
            f'expected to log in as operator, found "{DENIED}"; authorize the key on the host',
        ),
        (
            {},
            DENIED,
            f'expected to log in as ssh\'s own choice of user, found "{DENIED}"; authorize the key on the host',
        ),
    ],
)
def test_no_connection(data: dict[str, Any], errors: str, message: str) -> None:
    assert no_connection(host(**data), errors) == message


@pytest.mark.parametrize(
    ("rc", "errors", "message"),
    [
        (
            1,
            f"{TERMINAL}\n{PASSWORD}\n",
            "expected operator to become root by sudo without a password, "
            f'found "{PASSWORD}"; allow it in /etc/sudoers.d',
        ),
        (
            1,
            "operator is not in the sudoers file.",
            "expected operator to become root by sudo without a password, "
            'found "operator is not in the sudoers file."; allow it in /etc/sudoers.d',
        ),
        (127, SHELL, f'expected the probe to end with 0, found 127: "{SHELL}"; run it by hand on the host'),
    ],
)
def test_no_probe(rc: int, errors: str, message: str) -> None:
    assert no_probe(host(ssh_user="operator"), rc, errors) == message
