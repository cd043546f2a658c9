"""When an API server is asked once more, and after how long. Pure."""

from __future__ import annotations

import ssl
from typing import TypeVar

import httpx2

Found = TypeVar("Found", bound=BaseException)

#: Seconds before each further attempt: enough for another leader of etcd, or another server behind a balancer.
DELAYS = (0.5, 1.0, 2.0, 4.0)

#: Seconds that a server may have itself waited for; one that asks for more is not asked again.
LONGEST = 30.0

#: Statuses behind which another answer may come: too many requests, and a server that is not well.
TRANSIENT = frozenset({429, 500, 502, 503, 504})

#: Ends of TLS that are ends of the connection; all others say that both sides will never agree.
_CUT_OFF = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)


def pause(error: BaseException, delay: float | None) -> float | None:
    """Return after how many seconds a request is sent again; None where it is not.

    + error: what came of the request
    + delay: seconds that are due before the next attempt; None where there shall be none
    """
    if delay is None or not is_transient(error):
        return None
    wait = max(delay, _asked_for(error))
    return wait if wait <= LONGEST else None


def is_transient(error: BaseException) -> bool:
    """Tell whether the same request may be answered later; a patch may be repeated, for it names its version."""
    if answered := in_chain(error, httpx2.HTTPStatusError):
        return answered.response.status_code in TRANSIENT
    if isinstance(error, httpx2.UnsupportedProtocol | httpx2.LocalProtocolError) or disagreed(error):
        return False
    return isinstance(error, httpx2.TransportError)


def disagreed(error: BaseException) -> ssl.SSLError | None:
    """Return the error of TLS that no repetition mends, such as a certificate that is not trusted."""
    found = in_chain(error, ssl.SSLError)
    return None if isinstance(found, _CUT_OFF) else found


def in_chain(error: BaseException | None, kind: type[Found]) -> Found | None:
    """Find the error of a kind among those an error came from, the nearest first."""
    while error is not None:
        if isinstance(error, kind):
            return error
        error = error.__cause__ or error.__context__
    return None


def _asked_for(error: BaseException) -> float:
    """Read `Retry-After` in seconds (RFC 9110, 10.2.3); an API server writes no date there."""
    answered = in_chain(error, httpx2.HTTPStatusError)
    text = answered.response.headers.get("Retry-After", "") if answered else ""
    return float(text) if text.isascii() and text.isdigit() else 0.0
