"""Which version of the configuration file each release of containerd writes, and what its plugins are called there."""

from __future__ import annotations

from typing import Final

from gpufleet.stack.versions import numbers

#: Where containerd looks, and where drop-ins and registries lie.
DIRECTORY: Final = "/etc/containerd"
ROOT_FILE: Final = f"{DIRECTORY}/config.toml"
DROP_INS: Final = f"{DIRECTORY}/conf.d"
REGISTRIES: Final = f"{DIRECTORY}/certs.d"
#: In schema 2 one plugin serves Kubernetes; later ones have a plugin for images and one for containers.
CRI: Final = "io.containerd.grpc.v1.cri"
IMAGES: Final = "io.containerd.cri.v1.images"
RUNTIME: Final = "io.containerd.cri.v1.runtime"
#: Oldest release of each schema (containerd RELEASES.md, "Configuration Version", read 2026-11-23).
_SINCE: Final = ((4, (2, 3)), (3, (2, 0)), (2, (1, 3)))
SCHEMAS: Final = (2, 3, 4)
#: The schema from which on containerd brings every file to its own schema before it puts them together.
MIGRATES_EACH_FILE: Final = 4


def schema_of(version: str) -> int:
    """Return the schema that a release writes, 4 for `2.3.6`. Raises ValueError for what is no version."""
    release = numbers(version)
    return next((schema for schema, since in _SINCE if release >= since), 2)


def runtime_plugin(schema: int) -> str:
    """Return the plugin that runtimes such as runc are configured in."""
    return CRI if schema == 2 else RUNTIME
