"""Removal: library, headers, settings and what pods see."""

from __future__ import annotations

from gpufleet.operations import files, linker, packages, unpacked
from gpufleet.stack.nccl_settings.configuration import HOST_FILE, POD_FILE, TOPOLOGY_FILE
from roles.nccl.steps import CDI

#: Names on both families; those of the other family are never installed.
PACKAGES = ("libnccl2", "libnccl-dev", "libnccl", "libnccl-devel", "libnccl-static")


def remove_nccl() -> None:
    """Remove everything that the role wrote; nccl-tests stay, as they are nobody's but their user's."""
    packages.held(packages=list(PACKAGES), present=False, name="Let go of NCCL")
    packages.removed(packages=list(PACKAGES), name="Remove NCCL")
    unpacked.exactly(wanted=(), component="nccl", name="Remove NCCL's other builds beside the toolkits")
    for path in (HOST_FILE, POD_FILE, TOPOLOGY_FILE, CDI):
        files.absent(path=path.lstrip("/"), name=f"Remove /{path.lstrip('/')}")
    linker.cache_is_fresh(name="Let the linker forget NCCL")
