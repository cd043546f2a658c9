"""What `containerd config dump` takes without a word, and with which containerd runs but serves no kubelet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gpufleet.containers.places import Wrong, found
from gpufleet.containers.schema import CRI, IMAGES, REGISTRIES, RUNTIME

#: Names under which files of any schema disable what serves the kubelet.
_SERVES_KUBELET = ("cri", CRI, IMAGES, RUNTIME)


def without_kubernetes(tree: Mapping[str, Any]) -> Iterator[Wrong]:
    """Yield what keeps the plugins from loading that serve the kubelet: `mirrors` beside `config_path`, and disabling.

    The source is containerd's validation of the plugin: "`mirrors` cannot be set when `config_path` is provided".
    """
    given = found(tree, ("disabled_plugins",))
    disabled = [name for name in given if name in _SERVES_KUBELET] if isinstance(given, list) else []
    if disabled:
        where = ("disabled_plugins",)
        yield Wrong(where, "the plugins that serve the kubelet", f"{', '.join(disabled)} disabled", "take them out")
    for plugin in (CRI, IMAGES):
        path = ("plugins", plugin, "registry", "mirrors")
        if found(tree, path):
            cure = "declare them in container_runtime.registries, which writes hosts.toml there"
            yield Wrong(path, f"mirrors in {REGISTRIES}", "mirrors, which containerd refuses beside it", cure)


def without_runtime(dump: Mapping[str, Any]) -> Wrong | None:
    """Return the setting that names a default runtime which no file declares: the plugin then does not load."""
    for plugin in (CRI, RUNTIME):
        table = ("plugins", plugin, "containerd")
        name, runtimes = found(dump, (*table, "default_runtime_name")), found(dump, (*table, "runtimes"))
        if isinstance(name, str) and isinstance(runtimes, Mapping) and name not in runtimes:
            path = (*table, "default_runtime_name")
            cure = "declare it beside that, or name one of these"
            return Wrong(path, f"a runtime that is declared: {', '.join(runtimes)}", name, cure)
    return None
