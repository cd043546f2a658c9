"""The kubeconfig with which gpufleet itself asks an API server: found, read, and refused where it would mislead."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from gpufleet.errors import ClusterError
from gpufleet.kubernetes.data import ClusterData

#: The option's name in errors.
OPTION = "kubernetes.kubeconfig"

#: Where kubectl looks when nothing is said.
DEFAULT = Path("~/.kube/config")

#: Entries that are paths; relative ones count from the folder of the file.
_PATHS = ("certificate-authority", "client-certificate", "client-key", "tokenFile")

#: Form of the answer of an exec command.
_EXEC = "client.authentication.k8s.io/v1beta1"

#: What kubectl obeys and the client library would pass over in silence.
_PASSED_OVER = {"cluster": ("tls-server-name", "proxy-url"), "user": ("as", "as-groups", "as-uid", "auth-provider")}


@dataclass(frozen=True)
class Kubeconfig:
    """One context of a kubeconfig: an API server, and who asks it."""

    #: Where it came from, for errors: a path, or the option.
    source: str
    context: str
    #: As in the file, with whole paths.
    cluster: Mapping[str, Any]
    user: Mapping[str, Any] = field(repr=False)

    @property
    def server(self) -> str:
        """URL of the API server."""
        return str(self.cluster.get("server", ""))


def read(options: ClusterData) -> Kubeconfig:
    """Read the kubeconfig that the data name, else the one kubectl would take; raises GpufleetError."""
    if options.kubeconfig is None:
        path = _default()
        return _parsed(path.read_text(encoding="utf-8"), options.context, str(path), path.parent)
    text, given = options.kubeconfig.read(OPTION).decode(errors="replace"), options.kubeconfig.file
    return _parsed(text, options.context, str(given or OPTION), given.parent if given else Path())


def _default() -> Path:
    named = [text for text in os.environ.get("KUBECONFIG", "").split(os.pathsep) if text]
    if len(named) > 1:
        cure = f"name one, or one in {OPTION}"
        raise ClusterError("KUBECONFIG", expected="one file", found=f"{len(named)} files", cure=cure)
    path = Path(named[0] if named else DEFAULT).expanduser()
    if not path.is_file():
        where = "KUBECONFIG" if named else OPTION
        cure = f"give one in {OPTION} or $KUBECONFIG, or leave nodes alone with --no-gate"
        raise ClusterError(where, expected="a kubeconfig", found=f"no file {path}", cure=cure)
    return path


def _parsed(text: str, context: str | None, source: str, folder: Path) -> Kubeconfig:
    """Parse it; nothing of its text is ever shown, for it may hold a key or a token."""
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError:
        document = None
    if not isinstance(document, dict) or document.get("kind") != "Config":
        found = "something else"
        raise ClusterError(source, expected="a kubeconfig (kind: Config)", found=found, cure="give that of a user")
    name = context or document.get("current-context")
    chosen = _entry(document, "context", name, source)
    cluster = _entry(document, "cluster", chosen.get("cluster"), source)
    user = _entry(document, "user", chosen.get("user"), source)
    _refuse_passed_over(source, cluster=cluster, user=user)
    _refuse_exec(source, user.get("exec") or {})
    return Kubeconfig(source, str(name), _with_whole_paths(cluster, folder), _with_whole_paths(user, folder))


def _entry(document: Mapping[str, Any], kind: str, name: Any, source: str) -> dict[str, Any]:
    """Find the entry of a name in `contexts`, `clusters` or `users`."""
    entries = {entry["name"]: entry.get(kind) for entry in document.get(f"{kind}s") or () if "name" in entry}
    if isinstance(entry := entries.get(name), dict):
        return entry
    what = f"the {kind} {name}" if name else f"the name of a {kind}"
    cure = f"it has the {kind}s {', '.join(map(str, entries)) or '(none)'}"
    raise ClusterError(source, expected=what, found="none", cure=cure)


def _with_whole_paths(entry: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return an entry in which paths do not depend on the folder of the file."""
    return {name: str(folder / value) if name in _PATHS else value for name, value in entry.items()}


def _refuse_passed_over(source: str, **parts: Mapping[str, Any]) -> None:
    for kind, names in _PASSED_OVER.items():
        for name in names:
            if parts[kind].get(name):
                cure = "give gpufleet a kubeconfig of its own with a token, a client certificate or an exec command"
                expected = f"a kubeconfig without `{name}` of a {kind}, which is not supported"
                raise ClusterError(source, expected=expected, found="it set", cure=cure)


def _refuse_exec(source: str, command: Mapping[str, Any]) -> None:
    """Refuse a command whose answer has a form that the client library does not read."""
    form = command.get("apiVersion", _EXEC)
    if form != _EXEC:
        cure = "most commands know that too: write it there, or give a token or a client certificate"
        raise ClusterError(source, expected=f"an exec command of {_EXEC}", found=form, cure=cure)
