"""Tokens for tests that say when they end, as those of service accounts do."""

from __future__ import annotations

import base64
import json
from datetime import datetime


def token(end: datetime) -> str:
    """An unsigned token of RFC 7519's form."""
    parts = ({"alg": "none"}, {"sub": "system:serviceaccount:gpufleet:gpufleet", "exp": int(end.timestamp())})
    coded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*coded, "signature"])
