"""A stand-in for an API server, over real TLS: it knows nodes, service accounts' tokens, and the rights of rbac.yaml.

It refuses what a real one refuses, in its words: a wrong token, a verb that the manifest does not grant, a patch of
another content type, and the patch of a version that is no longer the node's.
"""

from __future__ import annotations

import copy
import json
import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import yaml

from gpufleet.kubernetes.rights import MANIFEST
from tests.support.certificates import Pair

Node = dict[str, Any]

USER = "system:serviceaccount:gpufleet:gpufleet"
TOKEN = "the-token-of-gpufleet"

_VERBS = {"GET": "get", "PATCH": "patch", "PUT": "update", "DELETE": "delete", "POST": "create"}
_REASONS = {401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 409: "Conflict", 415: "UnsupportedMediaType"}
_MERGE = "application/merge-patch+json"


class _Quiet(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that go away, as those do which do not trust the certificate."""


class ApiServer:
    """Listens on loopback from `with` on; `nodes` may be changed at any time."""

    def __init__(self, pair: Pair, folder: Path, context: ssl.SSLContext | None = None) -> None:
        self.nodes: dict[str, Node] = {}
        self.granted = granted()
        #: What was asked: (verb, node), and the patches that were accepted.
        self.asked: list[tuple[str, str]] = []
        self.patches: list[tuple[str, Any]] = []
        #: Answers that come instead of any other: status and body.
        self.instead: tuple[int, str] | None = None
        #: Answers that come first, each once: status, header fields and body. An empty one is the server's own; None
        #: ends the connection instead, once the request was carried out.
        self.first: list[tuple[int, dict[str, str], str] | tuple[()] | None] = []
        #: What others do to a node while it is patched: each is called once, before a patch is looked at.
        self.meanwhile: list[Callable[[Node], None]] = []
        self._lock = threading.Lock()
        self._http = _Quiet(("127.0.0.1", 0), _handler(self))
        context = context or ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*pair.written(folder, "api-server"))
        self._http.socket = context.wrap_socket(self._http.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self._http.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def add(self, name: str, **spec: Any) -> Node:
        """Register a node with what a kubelet and others write on one."""
        self.nodes[name] = {
            "kind": "Node",
            "apiVersion": "v1",
            "metadata": {"name": name, "resourceVersion": "100", "labels": {"kubernetes.io/hostname": name}},
            "spec": spec,
            "status": {"conditions": [{"type": "Ready", "status": "True"}, {"type": "example.org/burnt", "x": 1}]},
        }
        return self.nodes[name]

    def next_first(self) -> tuple[()] | tuple[int, dict[str, str], str] | None:
        """Take the next of the answers that come first; empty where there is none."""
        with self._lock:
            return self.first.pop(0) if self.first else ()

    def answer(self, method: str, path: str, headers: Any, body: bytes) -> tuple[int, Any]:
        """Answer one request as an API server would."""
        verb, name = _VERBS[method], path.rpartition("/")[2]
        with self._lock:
            self.asked.append((verb, name))
            if headers.get("Authorization") != f"Bearer {TOKEN}":
                return _status(401, "Unauthorized")
            if ("", "nodes", verb) not in self.granted:
                text = f'User "{USER}" cannot {verb} resource "nodes" in API group "" at the cluster scope'
                return _status(403, f'nodes "{name}" is forbidden: {text}')
            if path != f"/api/v1/nodes/{name}" or name not in self.nodes:
                return _status(404, f'nodes "{name}" not found')
            return (200, self.nodes[name]) if verb == "get" else self._patched(name, headers, json.loads(body))

    def _patched(self, name: str, headers: Any, patch: dict[str, Any]) -> tuple[int, Any]:
        if headers.get("Content-Type") != _MERGE:
            return _status(415, "the body of the request was in an unknown format")
        if self.meanwhile:
            self.change(name, self.meanwhile.pop(0))
        node = self.nodes[name]
        if patch["metadata"].get("resourceVersion", node["metadata"]["resourceVersion"]) != _version(node):
            text = "the object has been modified; please apply your changes to the latest version and try again"
            return _status(409, f'Operation cannot be fulfilled on nodes "{name}": {text}')
        self.patches.append((name, patch))
        self.change(name, lambda node: merge(node, patch))
        return 200, self.nodes[name]

    def change(self, name: str, edit: Callable[[Node], None]) -> None:
        """Change a node as another user does: it gets a new version."""
        node = copy.deepcopy(self.nodes[name])
        edit(node)
        node["metadata"]["resourceVersion"] = str(int(_version(self.nodes[name])) + 1)
        self.nodes[name] = node


def granted() -> set[tuple[str, str, str]]:
    """What the manifest grants: group, resource and verb."""
    documents = [*yaml.safe_load_all(MANIFEST.read_text())]
    rules = [rule for document in documents if document["kind"] == "ClusterRole" for rule in document["rules"]]
    return {
        (group, resource, verb)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def merge(target: dict[str, Any], patch: dict[str, Any]) -> None:
    """Apply a JSON merge patch (RFC 7386)."""
    for key, value in patch.items():
        if value is None:
            target.pop(key, None)
        elif isinstance(value, dict):
            target[key] = target[key] if isinstance(target.get(key), dict) else {}
            merge(target[key], value)
        else:
            target[key] = value


def _version(node: Node) -> str:
    version: str = node["metadata"]["resourceVersion"]
    return version


def _status(code: int, message: str) -> tuple[int, Any]:
    status = {"kind": "Status", "apiVersion": "v1", "status": "Failure"}
    return code, {**status, "message": message, "reason": _REASONS[code], "code": code}


def _handler(server: ApiServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Passes requests on, and keeps connections open as a real server does."""

        protocol_version = "HTTP/1.1"

        def _any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            first = server.next_first()
            if first:
                server.asked.append((_VERBS[self.command], urlsplit(self.path).path.rpartition("/")[2]))
                self._send(first[0], first[1], first[2].encode())
                return
            status, answer = server.answer(self.command, urlsplit(self.path).path, self.headers, body)
            content = json.dumps(answer).encode()
            if server.instead:
                status, content = server.instead[0], server.instead[1].encode()
            if first is None:
                self.close_connection = True
                return
            kind = "application/json" if content.startswith(b"{") else "text/plain"
            self._send(status, {"Content-Type": kind}, content)

        def _send(self, status: int, fields: dict[str, str], content: bytes) -> None:
            self.send_response(status)
            for name, value in fields.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_PATCH = do_PUT = do_DELETE = do_POST = _any  # noqa: N815 - http.server's names

        def log_message(self, format: str, *arguments: Any) -> None:
            """Write no log."""

    return Handler
