"""An index file as upstream has it now."""

from __future__ import annotations

import http.client
import urllib.error
from collections.abc import Mapping

from gpufleet.lab import sources
from gpufleet.lab.download import DownloadError


def fetch(url: str, headers: Mapping[str, str]) -> tuple[bytes, int, str | None]:
    """Content, status and date of a file upstream; raises DownloadError for all but "here" and "not changed"."""
    try:
        with sources.opener(headers).open(url, timeout=sources.TIMEOUT) as reply:
            return reply.read(), 200, reply.headers.get("Last-Modified")
    except urllib.error.HTTPError as error:
        if error.code == 304:
            return b"", 304, None
        raise DownloadError(error.code, error.reason) from error
    except (OSError, http.client.HTTPException) as error:
        raise DownloadError(502, str(error)) from error
