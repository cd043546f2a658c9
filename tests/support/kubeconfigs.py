"""Kubeconfigs for tests."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any


def document(
    server: str, authority: bytes | None, user: dict[str, Any], cluster: dict[str, Any] | None = None
) -> dict[str, Any]:
    """One context of one server and one user, as kubectl writes it."""
    trusted = {"certificate-authority-data": base64.b64encode(authority).decode()} if authority else {}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "fleet",
        "contexts": [{"name": "fleet", "context": {"cluster": "training", "user": "gpufleet"}}],
        "clusters": [{"name": "training", "cluster": {"server": server, **trusted, **(cluster or {})}}],
        "users": [{"name": "gpufleet", "user": user}],
    }


def write(path: Path, content: dict[str, Any]) -> Path:
    """Write a kubeconfig; JSON is YAML."""
    path.write_text(json.dumps(content))
    return path
