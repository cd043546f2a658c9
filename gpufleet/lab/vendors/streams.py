"""Module streams of NVIDIA's driver on Enterprise Linux 9, as modulemd documents."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from gpufleet.lab.vendors.releases import read
from gpufleet.lab.vendors.rpm import Rpm

MODULE = "nvidia-driver"
#: All streams carry the same version: a repository is built whole.
VERSION = 20251201000000


def document(built: Sequence[Rpm]) -> str:
    """The YAML of all streams and of the default one."""
    declared = read("streams")
    defaults = {
        "document": "modulemd-defaults",
        "version": 1,
        "data": {
            "module": MODULE,
            "stream": declared["default"],
            "profiles": {name: ["default"] for name in declared["streams"]},
        },
    }
    streams = [stream(name, how, declared, built) for name, how in declared["streams"].items()]
    return yaml.safe_dump_all([*streams, defaults], explicit_start=True, explicit_end=True, sort_keys=False)


def stream(name: str, how: Mapping[str, Any], declared: Mapping[str, Any], built: Sequence[Rpm]) -> dict[str, Any]:
    """One stream with its packages and profiles."""
    flavor = declared["flavors"][how["flavor"]]
    names = {*declared["names"], *flavor}
    held = [one for one in built if one.package.name in names and of_branch(one, how.get("branch"))]
    present = {one.package.name for one in held}
    profiles = {
        profile: {"rpms": [*(each for each in packages if each in present), flavor[0]]}
        for profile, packages in declared["profiles"].items()
    }
    data = {
        **{"name": MODULE, "stream": name, "version": VERSION, "arch": "x86_64"},
        "context": hashlib.sha256(name.encode()).hexdigest()[:8],
        "summary": f"Nvidia driver for {name} branch",
        "description": "Stand-in of the gpufleet lab.",
        "license": {"module": ["Apache-2.0"]},
        "dependencies": [{"buildrequires": {"platform": ["el9"]}, "requires": {"platform": ["el9"]}}],
        "profiles": profiles,
        "artifacts": {"rpms": sorted(one.nevra for one in held)},
    }
    return {"document": "modulemd", "version": 2, "data": data}


def of_branch(one: Rpm, branch: int | None) -> bool:
    """Whether a package belongs to a branch; any does where none is asked."""
    return branch is None or one.package.evr[1].startswith(f"{branch}.")
