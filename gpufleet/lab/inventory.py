"""A running lab as pyinfra inventory data: what `inventories/lab.py` is made of."""

from __future__ import annotations

import json
import os as environment
from pathlib import Path
from typing import Any

from gpufleet.errors import InventoryError
from gpufleet.lab import archive, vendors
from gpufleet.project import state_dir

#: Variable that chooses among several labs, and the lab's name where it is unset.
VARIABLE, DEFAULT = "GPUFLEET_LAB", "lab"


def record(lab: str | None = None) -> dict[str, Any]:
    """The lab's own record of its hosts (`lab.json`).

    Raises InventoryError where no lab of that name is up.
    """
    name = lab or environment.environ.get(VARIABLE, DEFAULT)
    path = state_dir() / "labs" / name / "lab.json"
    if not path.is_file():
        raise InventoryError(
            f"lab {name}", expected="a lab that is up", found=f"no {path}", cure=f"run `gpufleet lab up --lab {name}`"
        )
    return dict(json.loads(path.read_text()))


def hosts(lab: str | None = None) -> list[tuple[str, dict[str, Any]]]:
    """Every host of the lab with the SSH settings to reach it, host key checked."""
    lab_record = record(lab)
    shared = {
        "ssh_user": lab_record["user"],
        "ssh_key": str(Path(lab_record["key"])),
        "ssh_known_hosts_file": str(Path(lab_record["known_hosts"])),
        "ssh_strict_host_key_checking": "yes",
    }
    return [(host["name"], {"ssh_hostname": host["address"], **shared}) for host in lab_record["hosts"]]


def names(os: str, lab: str | None = None) -> list[str]:
    """Names of the lab's hosts that run the given operating system, such as `debian-12`."""
    return [host["name"] for host in record(lab)["hosts"] if host["os"] == os]


def nvidia_repository() -> dict[str, str]:
    """What of a role's `repository` differs in the lab: who serves NVIDIA's packages, and whose key signs them."""
    return {"base_url": f"http://archive:{archive.PORT}/nvidia/", "key_fingerprint": vendors.fingerprint()}


def doca_repository() -> dict[str, str]:
    """The same of DOCA-OFED's, for `stack.repositories.doca`."""
    return {"base_url": f"http://archive:{archive.PORT}/mellanox/", "key_fingerprint": vendors.fingerprint()}


def kubernetes_repository() -> dict[str, str]:
    """The same of Kubernetes' own, for `stack.repositories.kubernetes`, in a lab with a control plane."""
    return {"base_url": f"http://archive:{archive.PORT}/kubernetes/", "key_fingerprint": vendors.fingerprint()}


def docker_repository() -> dict[str, str]:
    """The same of Docker's, for `stack.repositories.docker`: containerd.io, in a lab with a control plane."""
    return {"base_url": f"http://archive:{archive.PORT}/docker/", "key_fingerprint": vendors.fingerprint()}


def toolkit_repository() -> dict[str, str]:
    """The same of NVIDIA's container toolkit, for `stack.repositories.nvidia-container-toolkit`."""
    return {"base_url": f"http://archive:{archive.PORT}/", "key_fingerprint": vendors.fingerprint()}
