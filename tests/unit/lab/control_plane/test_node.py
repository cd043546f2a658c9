"""What hosts of a lab with a control plane get beyond the others, and the images of their pods."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from gpufleet.lab import containers, docker
from gpufleet.lab.control_plane import images, node
from gpufleet.lab.docker import Result
from gpufleet.lab.hosts import LabHost
from gpufleet.lab.network import Network
from gpufleet.lab.state import State

NETWORK = {
    "cniVersion": "1.0.0",
    "name": "gpufleet-lab",
    "plugins": [
        {
            "type": "bridge",
            "bridge": "cni0",
            "isGateway": True,
            "ipam": {
                "type": "host-local",
                "ranges": [[{"subnet": "10.244.11.0/24"}]],
                "routes": [{"dst": "0.0.0.0/0"}],
            },
        }
    ],
}


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LabHost:
    monkeypatch.setenv("GPUFLEET_STATE_DIR", str(tmp_path))
    lab = State("demo")
    lab.path.mkdir(parents=True)
    return LabHost("gpu-01", "debian-13", "hgx-h100", "10.213.0.11", lab)


def node_of(host: LabHost) -> LabHost:
    host.state.kubernetes.write_text("1.36.3\n")
    host.state.images.write_bytes(b"images")
    return host


def test_a_host_of_another_lab_gets_nothing(host: LabHost) -> None:
    assert (node.flags(host.state), node.command(host.state), node.entries(host)) == ((), "/sbin/init", [])


def test_a_node_has_control_groups_and_file_systems_of_its_own(host: LabHost) -> None:
    assert node.command(node_of(host).state) == "/usr/lib/gpufleet-lab-node/boot"
    volumes = ("--volume=/var/lib/containerd", "--volume=/var/lib/kubelet", "--volume=/data")
    gpus = ("--device-cgroup-rule=c 195:* rwm", "--device-cgroup-rule=c 508:* rwm")
    assert node.flags(host.state) == (*volumes, *gpus)


def test_a_node_gets_what_a_cluster_would_bring(host: LabHost) -> None:
    found = {entry.path: entry for entry in node.entries(node_of(host))}
    assert {path: oct(entry.mode) for path, entry in found.items()} == {
        "/usr/lib/gpufleet-lab-node/boot": "0o755",
        "/usr/lib/gpufleet-lab-node/import-images": "0o755",
        "/usr/lib/gpufleet-lab-node/network": "0o755",
        "/usr/lib/gpufleet-lab-node/network.conflist": "0o644",
        "/usr/lib/gpufleet-lab-node/images.tar": "0o644",
        "/usr/lib/systemd/system/containerd.service.d/gpufleet-lab.conf": "0o644",
        "/usr/lib/systemd/system/kubelet.service.d/gpufleet-lab.conf": "0o644",
    }
    assert json.loads(found["/usr/lib/gpufleet-lab-node/network.conflist"].data) == NETWORK
    assert found["/usr/lib/gpufleet-lab-node/images.tar"].data == b"images"


@pytest.mark.parametrize(
    ("kubernetes", "first", "volumes"), [(False, "/sbin/init", 3), (True, "/usr/lib/gpufleet-lab-node/boot", 6)]
)
def test_the_container_of_a_host(
    host: LabHost, monkeypatch: pytest.MonkeyPatch, kubernetes: bool, first: str, volumes: int
) -> None:
    told: list[tuple[str, ...]] = []

    def answer(*words: str, data: bytes | None = None, **_: object) -> Result:
        told.append(words)
        return Result(words, 0, "1", "")

    monkeypatch.setattr(docker, "docker", answer)
    monkeypatch.setattr("gpufleet.lab.bundle.docker", answer)
    if kubernetes:
        node_of(host)
    containers.create(host, "image", Network("gpufleet-demo", IPv4Network("10.213.0.0/24")))
    created = next(words for words in told if words[0] == "create")
    assert created[-2:] == ("image", first)
    assert len([word for word in created if word.startswith("--volume=")]) == volumes


def content(archive: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as read:
        return {member.name: file.read() for member in read if (file := read.extractfile(member))}


def test_an_image_that_vouches_for_its_layer() -> None:
    found = content(images.archive(b"program"))
    manifest = json.loads(found["manifest.json"])
    settings = json.loads(found[manifest[0]["Config"]])
    assert manifest[0]["RepoTags"] == [*images.SANDBOXES, "gpufleet.test/workload:1"]
    assert manifest[0]["Config"] == f"{hashlib.sha256(found[manifest[0]['Config']]).hexdigest()}.json"
    assert settings["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(found['layer.tar']).hexdigest()}"]
    assert settings["config"] == {"Entrypoint": ["/workload"]}
    assert content(found["layer.tar"]) == {"workload": b"program"}
    assert images.archive(b"program") == images.archive(b"program")
