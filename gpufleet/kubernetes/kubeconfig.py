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
        return _parsed(_content(path), options.context, str(path), path.absolute().parent)
    content, given = options.kubeconfig.read(OPTION), options.kubeconfig.file
    return _parsed(content, options.context, str(given or OPTION), given.absolute().parent if given else Path())


def _default() -> Path:
    named = [text for text in os.environ.get("KUBECONFIG", "").split(os.pathsep) if text]
    if len(named) > 1:
        cure = f"name one, or one in {OPTION}"
        raise ClusterError("KUBECONFIG", expected="one file", found=f"{len(named)} files", cure=cure)
    return Path(named[0] if named else DEFAULT).expanduser()


def _content(path: Path) -> bytes:
    try:
        if path.is_file():
            return path.read_bytes()
    except OSError as error:
        found, cure = str(error.strerror).lower(), f"let this user read it, or give another in {OPTION}"
        raise ClusterError(str(path), expected="a kubeconfig that can be read", found=found, cure=cure) from None
    where = "KUBECONFIG" if os.environ.get("KUBECONFIG") else OPTION
    cure = f"give one in {OPTION} or $KUBECONFIG, or leave nodes alone with --no-gate"
    raise ClusterError(where, expected="a kubeconfig", found=f"no file {path}", cure=cure)


def _parsed(content: bytes, context: str | None, source: str, folder: Path) -> Kubeconfig:
    """Parse it; nothing of its text is ever shown, for it may hold a key or a token."""
    document = _document(content, source)
    name = context or document.get("current-context")
    chosen = _entry(document, "context", name, source)
    cluster = _entry(document, "cluster", chosen.get("cluster"), source)
    user = _entry(document, "user", chosen.get("user"), source)
    _refuse_passed_over(source, cluster=cluster, user=user)
    _refuse_exec(source, user.get("exec"))
    if not isinstance(cluster.get("server"), str):
        cure = "write the URL of the API server there"
        raise ClusterError(source, expected=f"`server` in the cluster {chosen['cluster']}", found="none", cure=cure)
    return Kubeconfig(source, str(name), _whole(cluster, folder, source), _whole(user, folder, source))


def _document(content: bytes, source: str) -> Mapping[str, Any]:
    expected, cure = "a kubeconfig (kind: Config)", "give that of a user"
    try:
        document = yaml.safe_load(content.decode())
    except UnicodeDecodeError:
        raise ClusterError(source, expected=expected, found="a text that is not UTF-8", cure=cure) from None
    except (yaml.YAMLError, ValueError):  # a date that is none
        document = None
    if not isinstance(document, dict) or document.get("kind") != "Config":
        raise ClusterError(source, expected=expected, found="something else", cure=cure)
    return document


def _entry(document: Mapping[str, Any], kind: str, name: Any, source: str) -> dict[str, Any]:
    """Find the entry of a name in `contexts`, `clusters` or `users`, without what is null in it: that is not set."""
    listed = document.get(f"{kind}s")
    entries = listed if isinstance(listed, list) else []
    named = [entry for entry in entries if isinstance(entry, dict) and "name" in entry]
    for entry in named:
        if name and entry["name"] == name and isinstance(entry.get(kind), dict):
            return {key: value for key, value in entry[kind].items() if value is not None}
    what = f"the {kind} {name}" if name else f"the name of a {kind}"
    cure = f"it has the {kind}s {', '.join(str(entry['name']) for entry in named) or '(none)'}"
    raise ClusterError(source, expected=what, found="none", cure=cure)


def _whole(entry: Mapping[str, Any], folder: Path, source: str) -> dict[str, Any]:
    """Return an entry in which paths do not depend on the folder of the file; an empty one is not set."""
    whole = {name: value for name, value in entry.items() if name not in _PATHS or value != ""}
    for name in whole.keys() & set(_PATHS):
        if not isinstance(whole[name], str):
            found, cure = type(whole[name]).__name__, "write it as text"
            raise ClusterError(source, expected=f"a path in `{name}`", found=found, cure=cure)
        whole[name] = str(folder / whole[name])
    return whole


def _refuse_passed_over(source: str, **parts: Mapping[str, Any]) -> None:
    for kind, names in _PASSED_OVER.items():
        for name in names:
            if parts[kind].get(name):
                cure = "give gpufleet a kubeconfig of its own with a token, a client certificate or an exec command"
                expected = f"a kubeconfig without `{name}` of a {kind}, which is not supported"
                raise ClusterError(source, expected=expected, found="it set", cure=cure)


def _refuse_exec(source: str, command: Any) -> None:
    """Refuse a command whose answer has a form that the client library does not read."""
    form = command.get("apiVersion", _EXEC) if isinstance(command, dict) else _EXEC if command is None else "no command"
    if form != _EXEC:
        cure = "most commands know that too: write it there, or give a token or a client certificate"
        raise ClusterError(source, expected=f"an exec command of {_EXEC}", found=form, cure=cure)
