"""The images of the lab's pods, as an archive that `ctr images import` takes: one static program."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile

from gpufleet.lab.vendors.package import TIMESTAMP

#: Sandbox images that releases of containerd and kubeadm name by themselves: containerd 1.7.24 has 3.8, kubeadm 1.36
#: 3.10.2 (cmd/kubeadm/app/constants/constants.go, 2026-11).
SANDBOXES = tuple(f"registry.k8s.io/pause:{tag}" for tag in ("3.8", "3.9", "3.10", "3.10.1", "3.10.2"))
#: Image of pods that say what they may use, as one line of JSON, and wait.
WORKLOAD = "gpufleet.test/workload:1"


def archive(program: bytes) -> bytes:
    """Return an image with the program in it, under all names."""
    layer = tar({"workload": program}, 0o755)
    root = {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]}
    settings = {"architecture": "amd64", "os": "linux", "config": {"Entrypoint": ["/workload"]}, "rootfs": root}
    text = json.dumps(settings, sort_keys=True).encode()
    name = f"{hashlib.sha256(text).hexdigest()}.json"
    manifest = [{"Config": name, "RepoTags": [*SANDBOXES, WORKLOAD], "Layers": ["layer.tar"]}]
    return tar({name: text, "layer.tar": layer, "manifest.json": json.dumps(manifest).encode()}, 0o644)


def tar(files: dict[str, bytes], mode: int) -> bytes:
    """Return a tar file; equal files give equal bytes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as written:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode, info.mtime = len(data), mode, TIMESTAMP
            written.addfile(info, io.BytesIO(data))
    return buffer.getvalue()
