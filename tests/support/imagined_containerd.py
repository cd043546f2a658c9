"""A containerd that reads files as the real ones were seen to: 1.6.20, 1.7.24, 2.1.9, 2.2.9 and 2.3.7."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

from gpufleet.containers.configuration import tree
from gpufleet.containers.judging import Trial
from gpufleet.containers.schema import DROP_INS, ROOT_FILE, runtime_plugin, schema_of
from gpufleet.containers.settings import Settings
from gpufleet.containers.toml import text

SCHEDULER = "io.containerd.gc.v1.scheduler"


def default(version: str) -> dict[str, Any]:
    """What `containerd config default` says, as far as tests touch it."""
    usual = tree(Settings("registry.k8s.io/pause:3.8", systemd_cgroup=False), version)
    more = {runtime_plugin(schema_of(version)): {"enable_selinux": False}, SCHEDULER: {"schedule_delay": "0s"}}
    return merged({**usual, "imports": [], "disabled_plugins": []}, {"plugins": more})


def trial(version: str, files: Mapping[str, str], **said: Any) -> Trial:
    """What a release says of a root file and drop-ins, by their paths.

    1.x takes a plugin's section from the last file that has one, 2.x adds them up, and both leave a drop-in of another
    schema out. Files that it cannot read end it.
    """
    order = {path: files[path] for path in (ROOT_FILE, *sorted(files)) if path in files and _is_read(path)}
    usual = default(version)
    given = {"dump": "", "default": text(usual, "default"), "code": 1, "said": ("containerd: no TOML",)}
    try:
        trees = [tomllib.loads(content) for content in order.values()]
    except tomllib.TOMLDecodeError:
        return Trial(order, **{**given, **said})
    dump = usual
    for one in trees:
        if one.get("version", usual["version"]) == usual["version"]:
            dump = _with(dump, one, usual)
    return Trial(order, **{**given, "dump": text(dump, "dump"), "code": 0, "said": (), **said})


def _is_read(path: str) -> bool:
    return path == ROOT_FILE or (path.startswith(f"{DROP_INS}/") and path.endswith(".toml"))


def _with(dump: dict[str, Any], given: dict[str, Any], usual: dict[str, Any]) -> dict[str, Any]:
    """Put a file over what the earlier ones said; keys and plugins that nobody knows are left out."""
    sections = given.get("plugins", {})
    plugins = {name: _known(sections[name], usual["plugins"][name]) for name in sections if name in usual["plugins"]}
    replaced = {name: usual["plugins"][name] for name in plugins} if usual["version"] == 2 else {}
    under = {**dump, "plugins": {**dump["plugins"], **replaced}}
    known = {key: value for key, value in given.items() if key in usual and key != "plugins"}
    return merged(under, {**known, "plugins": plugins})


def _known(section: Mapping[str, Any], usual: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in section.items() if key in usual}


def merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Lay a tree over another one."""
    both = {key: merged(under[key], over[key]) for key in under.keys() & over.keys() if isinstance(over[key], dict)}
    return {**under, **over, **both}
