"""Drop-ins that lose nothing of the root file: containerd 1.x takes a plugin's whole section from the last file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from gpufleet.containers.configuration import tree as root_tree
from gpufleet.containers.places import found
from gpufleet.containers.places import plugins as sections
from gpufleet.containers.schema import CRI, SCHEMAS, runtime_plugin
from gpufleet.containers.settings import Settings
from gpufleet.containers.toml import Tree, text

HEADER = "Managed by gpufleet; do not edit"
#: What root files say themselves of the plugin of schema 2, and what runtimes are declared by.
_REPEATED = frozenset(root_tree(Settings(""), "1.7.0")["plugins"][CRI])
_OF_RUNTIMES = frozenset({"snapshotter", "default_runtime_name", "runtimes"})


def drop_in(root: Mapping[str, Any], plugins: Mapping[str, Any]) -> str:
    """Return the file that adds settings of plugins to a root file, in the schema of that.

    In schema 2 what the root file says of these plugins is repeated, as containerd 1.x puts a section of a drop-in in
    the place of the root's instead of adding to it (1.6.20 and 1.7.24 lose the sandbox image and systemd's cgroups).
    """
    if root["version"] != 2:
        return text({"version": root["version"], "plugins": dict(plugins)}, HEADER)
    whole = {name: _merged(root.get("plugins", {}).get(name, {}), given) for name, given in plugins.items()}
    return text({"version": 2, "plugins": whole}, HEADER)


def moved(written: str, root: Mapping[str, Any]) -> str | None:
    """Return a drop-in of this suite as a new root file needs it, None where it may stay or cannot be changed.

    Runtimes alone are carried over, as they are written the same way in all schemas; what a drop-in of schema 2 repeats
    of its root file is the new root's matter, also where the schema stays.
    """
    tree = tomllib.loads(written) if written.startswith(f"# {HEADER}\n") else {}
    own = tree.get("version")
    if own not in SCHEMAS or set(sections(tree)) != {runtime_plugin(own)}:
        return None
    section = sections(tree)[runtime_plugin(own)]
    given = found(section, ("containerd",))
    if not isinstance(given, Mapping) or not (set(section) <= _REPEATED and set(given) <= _OF_RUNTIMES):
        return None
    new = drop_in(root, {runtime_plugin(root["version"]): {"containerd": _runtimes(given)}})
    return None if new == written else new


def _runtimes(given: Mapping[str, Any]) -> Tree:
    """Return the default and the runtimes of a table, without those that every root file has."""
    runtimes = {name: value for name, value in (found(given, ("runtimes",)) or {}).items() if name != "runc"}
    default = {key: value for key, value in given.items() if key == "default_runtime_name" and value != "runc"}
    return {**default, "runtimes": runtimes}


def _merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> Tree:
    result = deepcopy(dict(under))
    for key, value in over.items():
        both = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
        result[key] = _merged(result[key], value) if both else deepcopy(value)
    return result
