"""Whether credentials of a kubeconfig have ended: the reason behind most answers of "Unauthorized"."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography import x509

from gpufleet.kubernetes.kubeconfig import Kubeconfig


def ended(config: Kubeconfig, now: datetime) -> str:
    """Return which credential of the user ended and when, `a token that ended at ...`, or nothing."""
    for kind, end in (("client certificate", _certificate_end(config)), ("token", _token_end(config))):
        if end and end <= now:
            return f"a {kind} that ended at {end:%Y-%m-%d %H:%M:%S} UTC"
    return ""


def _certificate_end(config: Kubeconfig) -> datetime | None:
    try:
        return x509.load_pem_x509_certificate(_content(config, "client-certificate")).not_valid_after_utc
    except (OSError, ValueError):
        return None


def _token_end(config: Kubeconfig) -> datetime | None:
    """Read the end of a token that says so, as those of service accounts do (RFC 7519, `exp`)."""
    try:
        text = str(config.user.get("token") or _file(config, "tokenFile").decode()).strip()
        payload = text.split(".")[1]
        claims: Mapping[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return datetime.fromtimestamp(claims["exp"], UTC)
    except (OSError, ValueError, LookupError, TypeError, OverflowError):
        return None


def _content(config: Kubeconfig, name: str) -> bytes:
    if data := config.user.get(f"{name}-data"):
        try:
            return base64.b64decode(data)
        except binascii.Error:
            return b""
    return _file(config, name)


def _file(config: Kubeconfig, name: str) -> bytes:
    given = config.user.get(name)
    return Path(given).read_bytes() if given else b""
