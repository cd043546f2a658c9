"""Whether credentials of a kubeconfig have ended, where they say so."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gpufleet.kubernetes.expiry import ended
from gpufleet.kubernetes.kubeconfig import Kubeconfig
from tests.support.certificates import DAY, Authority
from tests.support.tokens import token

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def of(user: dict[str, Any]) -> Kubeconfig:
    return Kubeconfig("k", "fleet", {"server": "https://10.0.0.1:6443"}, user)


def test_a_token_that_ended(tmp_path: Path) -> None:
    old, new = token(NOW - timedelta(seconds=1)), token(NOW + DAY)
    assert ended(of({"token": old}), NOW) == "a token that ended at 2026-11-23 11:59:59 UTC"
    (tmp_path / "token").write_text(old + "\n")
    assert ended(of({"tokenFile": str(tmp_path / "token")}), NOW) == "a token that ended at 2026-11-23 11:59:59 UTC"
    assert ended(of({"token": new}), NOW) == ""


def test_a_client_certificate_that_ended(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    old = Authority().pair("ada", lasting=(-2 * DAY, -DAY))
    old.written(tmp_path, "ada")
    expected = f"a client certificate that ended at {now - DAY:%Y-%m-%d}"
    inline = {"client-certificate-data": base64.b64encode(old.certificate).decode()}
    for found in (ended(of(inline), now), ended(of({"client-certificate": str(tmp_path / "ada.crt")}), now)):
        assert found.startswith(expected)
    new = base64.b64encode(Authority().pair("ada").certificate).decode()
    assert ended(of({"client-certificate-data": new}), now) == ""


@pytest.mark.parametrize(
    "user",
    [
        {},
        {"token": "opaque"},
        {"token": "a.b.c"},
        {"token": "a.e30.c"},
        {"tokenFile": "/nowhere/gone"},
        {"client-certificate": "/nowhere/gone"},
        {"client-certificate-data": "no base64!"},
        {"client-certificate-data": "bm9uZQ=="},
    ],
)
def test_what_does_not_say_when_it_ends(user: dict[str, Any]) -> None:
    assert ended(of(user), NOW) == ""
