"""Which requests are sent again, and when."""

from __future__ import annotations

import ssl

import httpx2
import pytest

from gpufleet.kubernetes.retries import DELAYS, pause

REQUEST = httpx2.Request("GET", "https://10.0.0.1:6443/api/v1/nodes/gpu-01")


def status(code: int, **fields: str) -> httpx2.HTTPStatusError:
    named = {name.replace("_", "-"): value for name, value in fields.items()}
    return httpx2.HTTPStatusError("", request=REQUEST, response=httpx2.Response(code, headers=named))


def ended_by(error: OSError) -> httpx2.ConnectError:
    ended = httpx2.ConnectError("")
    ended.__cause__ = error
    return ended


def while_reading(error: httpx2.HTTPStatusError) -> KeyError:
    """What the library raises for an answer whose type of content is missing."""
    missing = KeyError("content-type")
    missing.__context__ = error
    return missing


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (status(429), 0.5),
        (status(429, Retry_After="1"), 1.0),
        (status(503, Retry_After="0"), 0.5),
        (status(503, Retry_After="30"), 30.0),
        (status(503, Retry_After="31"), None),
        (status(503, Retry_After="Mon, 23 Nov 2026 14:00:00 GMT"), 0.5),
        (status(500), 0.5),
        (status(502), 0.5),
        (status(504), 0.5),
        (while_reading(status(503)), 0.5),
        (status(400), None),
        (status(401), None),
        (status(403), None),
        (status(404), None),
        (status(409), None),
        (status(501), None),
        (while_reading(status(403)), None),
        (ended_by(ConnectionRefusedError()), 0.5),
        (ended_by(ssl.SSLEOFError()), 0.5),
        (ended_by(ssl.SSLCertVerificationError()), None),
        (ended_by(ssl.SSLError()), None),
        (httpx2.ReadError(""), 0.5),
        (httpx2.RemoteProtocolError(""), 0.5),
        (httpx2.ReadTimeout(""), 0.5),
        (httpx2.LocalProtocolError(""), None),
        (httpx2.UnsupportedProtocol(""), None),
        (KeyError("token"), None),
        (ConnectionResetError(), None),
    ],
    ids=repr,
)
def test_what_is_sent_again(error: Exception, expected: float | None) -> None:
    assert pause(error, DELAYS[0]) == expected
    assert pause(error, None) is None


def test_delays_grow() -> None:
    assert [pause(status(503, Retry_After="1"), delay) for delay in DELAYS] == [1.0, 1.0, 2.0, 4.0]
