"""How pyinfra's connection data become ssh_config, and what is left when the connections are closed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from gpufleet.errors import ToolMissingError
from gpufleet.health.connection import Connections, host_block, new_directory, ssh_options
from gpufleet.inventory.hosts import InventoryHost


def host(**data: Any) -> InventoryHost:
    return InventoryHost("gpu-01", "ssh", ("gpu_hosts",), data)


@pytest.mark.parametrize(
    ("data", "options"),
    [
        ({}, {"StrictHostKeyChecking": "accept-new"}),
        ({"ssh_strict_host_key_checking": "yes"}, {"StrictHostKeyChecking": "yes"}),
        ({"ssh_strict_host_key_checking": "off"}, {"StrictHostKeyChecking": "off"}),
        ({"ssh_port": 2222, "ssh_user": ""}, {"Port": 2222, "StrictHostKeyChecking": "accept-new"}),
        (
            {"ssh_key": "k", "ssh_forward_agent": True},
            {
                "IdentityFile": "k",
                "ForwardAgent": "yes",
                "IdentitiesOnly": "yes",
                "StrictHostKeyChecking": "accept-new",
            },
        ),
    ],
)
def test_ssh_options(data: dict[str, Any], options: dict[str, Any]) -> None:
    assert ssh_options(data) == options


def test_a_whole_block() -> None:
    block = host_block(
        host(
            ssh_hostname="192.0.2.7",
            ssh_port=2222,
            ssh_user="operator",
            ssh_key="keys/100% mine",
            ssh_known_hosts_file="known hosts",
            ssh_strict_host_key_checking="yes",
            ssh_config_file="/srv/ssh/jump",
        ),
        Path("/tmp/x/0"),
    )
    assert block == (
        "Host gpu-01\n"
        '  HostName "192.0.2.7"\n'
        '  Port "2222"\n'
        '  User "operator"\n'
        '  IdentityFile "keys/100%% mine"\n'
        '  UserKnownHostsFile "known hosts"\n'
        '  IdentitiesOnly "yes"\n'
        '  StrictHostKeyChecking "yes"\n'
        '  BatchMode "yes"\n'
        '  LogLevel "ERROR"\n'
        '  ServerAliveInterval "5"\n'
        '  ServerAliveCountMax "6"\n'
        '  ControlMaster "auto"\n'
        '  ControlPersist "60"\n'
        '  ControlPath "/tmp/x/0"\n'
        "  Include /srv/ssh/jump\n"
    )


def test_openssh_reads_it_as_meant(tmp_path: Path) -> None:
    (tmp_path / "jump").write_text("User nobody\nProxyJump bastion\n")
    connections = Connections(
        [host(ssh_hostname="192.0.2.7", ssh_user="operator", ssh_config_file=tmp_path / "jump")], new_directory()
    )
    command = ["ssh", "-F", str(connections.config), "-G", "gpu-01"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    connections.close()
    assert {"hostname 192.0.2.7", "user operator", "proxyjump bastion", "batchmode yes"} <= set(shown)
    assert not connections.directory.exists()


@pytest.mark.parametrize(("data", "sudo"), [({}, "false"), ({"_sudo": False}, "false"), ({"_sudo": True}, "true")])
def test_testinfra_becomes_root_where_pyinfra_does(data: dict[str, Any], sudo: str) -> None:
    connections = Connections([host(**data)], new_directory())
    connections.close()
    expected = f"ssh://gpu-01?sudo={sudo}&ssh_config={connections.config}"
    assert connections.specification(host(**data)) == expected


def test_ssh_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(ToolMissingError) as raised:
        Connections([], tmp_path)
    assert str(raised.value) == "ssh: expected OpenSSH's client, found none; install openssh-client"
