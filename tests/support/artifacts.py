"""Builds of kernel modules as the repository describes them."""

from __future__ import annotations

from gpufleet.precompiled.artifact import Artifact
from gpufleet.precompiled.key import ModuleKey


def artifact(key: ModuleKey, file: str, sha256: str) -> Artifact:
    """A build that fits a key, made on gpu-01."""
    return Artifact(
        release=key.release,
        arch=key.arch,
        kernel=key.kernel,
        driver=key.driver,
        flavor=key.flavor,
        package=f"gpufleet-nvidia-modules-{key.kernel}",
        version=f"{key.driver}-20261123060000",
        file=file,
        sha256=sha256,
        signer="",
        built_on="gpu-01",
        built_at="2026-11-23T06:00:00Z",
    )
