"""The root file as a tree of tables, in the schema of a release."""

from __future__ import annotations

from typing import Any

from gpufleet.containers.schema import CRI, DROP_INS, IMAGES, REGISTRIES, RUNTIME, schema_of
from gpufleet.containers.settings import Settings
from gpufleet.containers.toml import Tree, text
from gpufleet.stack.versions import numbers

HEADER = "Managed by gpufleet; do not edit. Drop-ins of the same version belong into conf.d"
#: First release with the Container Device Interface (containerd 1.7.0).
_CDI_SINCE = (1, 7)


def rendered(settings: Settings, version: str) -> str:
    """Return the root file for a release such as `2.2.6`."""
    return text(tree(settings, version), HEADER)


def tree(settings: Settings, version: str) -> Tree:
    """Return the root file's tables. Drop-ins are read in any case: containerd before 2.2 reads none by itself."""
    schema = schema_of(version)
    plugins = _one_plugin(settings, version) if schema == 2 else _two_plugins(settings)
    return {
        "version": schema,
        "imports": [f"{DROP_INS}/*.toml"],
        "root": settings.root,
        "state": settings.state,
        "plugins": plugins,
    }


def _one_plugin(settings: Settings, version: str) -> Tree:
    cdi = _cdi(settings) if numbers(version) >= _CDI_SINCE else {}
    containerd = {"snapshotter": settings.snapshotter, **_runtimes(settings)}
    registry = {"config_path": REGISTRIES}
    return {
        CRI: {
            "sandbox_image": settings.sandbox_image,
            **_containers(settings),
            **cdi,
            "containerd": containerd,
            "registry": registry,
        }
    }


def _two_plugins(settings: Settings) -> Tree:
    images = {
        "snapshotter": settings.snapshotter,
        "pinned_images": {"sandbox": settings.sandbox_image},
        "registry": {"config_path": REGISTRIES},
    }
    return {
        IMAGES: images,
        RUNTIME: {**_containers(settings), **_cdi(settings), "containerd": _runtimes(settings)},
    }


def _containers(settings: Settings) -> dict[str, Any]:
    """Every release switches huge pages' limits off by default, and tolerates a kernel without them."""
    return {
        "restrict_oom_score_adj": settings.restrict_oom_score_adj,
        "disable_hugetlb_controller": False,
        "tolerate_missing_hugetlb_controller": True,
    }


def _cdi(settings: Settings) -> dict[str, Any]:
    return {"enable_cdi": settings.cdi, "cdi_spec_dirs": list(settings.cdi_spec_dirs)}


def _runtimes(settings: Settings) -> dict[str, Any]:
    options = {"SystemdCgroup": settings.systemd_cgroup}
    runc = {"runtime_type": "io.containerd.runc.v2", "options": options}
    return {"default_runtime_name": "runc", "runtimes": {"runc": runc}}
