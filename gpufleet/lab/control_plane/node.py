"""What makes a lab host able to be a node: its own control groups and file systems, and what a cluster would bring."""

from __future__ import annotations

import json
from pathlib import Path

from gpufleet.lab import bundle
from gpufleet.lab.bundle import Entry
from gpufleet.lab.hosts import LabHost
from gpufleet.lab.state import State

HOST, TARGET, UNITS = Path(__file__).parent / "host", "/usr/lib/gpufleet-lab-node", "/usr/lib/systemd/system"
#: What cannot lie on a container's own file system, which is an overlay: layers of images are overlays themselves. The
#: last is another file system for whoever wants their data there.
VOLUMES = ("/var/lib/containerd", "/var/lib/kubelet", "/data")
#: Files that belong elsewhere than the rest: drop-ins of services that roles install later.
PLACES = {f"{unit}.conf": f"{UNITS}/{unit}.service.d/gpufleet-lab.conf" for unit in ("containerd", "kubelet")}
#: Numbers of GPUs as the lab's nvidia-ctk writes them for containers: pods may be given such devices.
DEVICES = ("c 195:* rwm", "c 508:* rwm")
#: First two numbers of the pods' addresses; the third is the last of their host's.
PODS = "10.244"


def flags(lab: State) -> tuple[str, ...]:
    """Arguments of `docker create` for a host of the lab, beyond those of every host."""
    if not lab.kubernetes.is_file():
        return ()
    return *(f"--volume={place}" for place in VOLUMES), *(f"--device-cgroup-rule={rule}" for rule in DEVICES)


def command(lab: State) -> str:
    """Return the first program of a host of the lab."""
    return f"{TARGET}/boot" if lab.kubernetes.is_file() else "/sbin/init"


def entries(host: LabHost) -> list[Entry]:
    """Files of a host beyond those of every host: none unless its lab has a control plane."""
    if not host.state.kubernetes.is_file():
        return []
    own = [Entry(PLACES.get(Path(one.path).name, one.path), one.data, one.mode) for one in bundle.tree(HOST, TARGET)]
    return [
        *own,
        Entry(f"{TARGET}/network.conflist", network(host.address).encode()),
        Entry(f"{TARGET}/images.tar", host.state.images.read_bytes()),
    ]


def network(address: str) -> str:
    """Return the network of a host's pods: a bridge, which no route leads to from other hosts."""
    subnet = f"{PODS}.{address.rpartition('.')[2]}.0/24"
    addresses = {"type": "host-local", "ranges": [[{"subnet": subnet}]], "routes": [{"dst": "0.0.0.0/0"}]}
    plugins = [{"type": "bridge", "bridge": "cni0", "isGateway": True, "ipam": addresses}]
    return json.dumps({"cniVersion": "1.0.0", "name": "gpufleet-lab", "plugins": plugins}, indent=2) + "\n"
