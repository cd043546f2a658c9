"""What it means for the operator when an API server does not do what was asked: expected, found, cure."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from typing import TypeVar

import httpx2
from lightkube import ApiError, ConfigError

from gpufleet.errors import ClusterError, NodeError
from gpufleet.health.outcomes import one_line
from gpufleet.kubernetes.expiry import ended
from gpufleet.kubernetes.kubeconfig import Kubeconfig
from gpufleet.kubernetes.rights import MANIFEST, Right
from gpufleet.project import ROOT

Found = TypeVar("Found", bound=BaseException)

#: What OpenSSL calls the faults of a certificate that have a cure of their own (X509_V_ERR_*).
_NOT_IN_FORCE, _OTHER_NAME = {9, 10}, {62, 64}


def unusable(config: Kubeconfig, error: Exception) -> ClusterError:
    """Explain a kubeconfig that cannot be used: a file it names is missing, or a key in it is none."""
    found = f'"{_text(error)}"' if isinstance(error, ConfigError | OSError) else "something else"
    expected = f"a server, an authority and credentials that can be read in the context {config.context}"
    return ClusterError(config.source, expected=expected, found=found, cure="see that kubectl can use it")


def unanswered(config: Kubeconfig, error: httpx2.HTTPError) -> ClusterError:
    """Explain why there was no answer at all, from what the connection ended with."""
    if certificate := _in_chain(error, ssl.SSLCertVerificationError):
        return _not_trusted(config, certificate)
    if isinstance(error, httpx2.TimeoutException):
        found = "none in time"
    else:
        system = _in_chain(error, OSError)
        found = f'"{(system and system.strerror) or _text(error)}"'
    cure = f"check the server in {config.source}, and that it runs"
    return ClusterError(config.server, expected="an answer of the API server", found=found, cure=cure)


def _not_trusted(config: Kubeconfig, error: ssl.SSLCertVerificationError) -> ClusterError:
    found = f'"{error.verify_message.rstrip(".")}"'
    match error.verify_code:
        case code if code in _NOT_IN_FORCE:
            expected, cure = "a certificate in force", "renew it, or set the clock of this controller"
        case code if code in _OTHER_NAME:
            expected, cure = "a certificate for this address", f"name the server in {config.source} as it calls itself"
        case _:
            expected = f"a certificate of the authority in {config.source}"
            cure = "take certificate-authority-data from this cluster"
    return ClusterError(config.server, expected=expected, found=found, cure=cure)


def refused(config: Kubeconfig, error: httpx2.HTTPStatusError, right: Right, node: str) -> ClusterError:
    """Explain an answer that is an error."""
    status = error.response.status_code
    found = f'"{_text(error)}"' if isinstance(error, ApiError) else f"status {status}"
    match status:
        case 401:
            return _unauthorized(config, found)
        case 403:
            manifest = MANIFEST.relative_to(ROOT)
            cure = f"apply {manifest}, and use its service account"
            return ClusterError(config.server, expected=f"the right to {right}", found=found, cure=cure)
        case 404 if isinstance(error, ApiError):
            return no_node(config, node)
    cure = "run again once the API server is well"
    return NodeError(config.server, expected=f"an answer to {right} {node}", found=found, cure=cure)


def _unauthorized(config: Kubeconfig, found: str) -> ClusterError:
    old = ended(config, datetime.now(UTC))
    expected = f"credentials that it accepts in {config.source}"
    return ClusterError(config.server, expected=expected, found=old or found, cure="renew them")


def no_api(config: Kubeconfig) -> ClusterError:
    """Explain an answer that no API server gives."""
    cure = f"check the server in {config.source}"
    return ClusterError(config.server, expected="an API server of Kubernetes", found="an answer of no such", cure=cure)


def no_node(config: Kubeconfig, node: str) -> NodeError:
    """Explain that the API server does not know a node."""
    cure = "join the host, or correct kubelet.node_name"
    return NodeError(config.server, expected=f"a node {node}", found="none", cure=cure)


def never_still(config: Kubeconfig, node: str, times: int) -> NodeError:
    """Explain that others changed a node each time between reading and writing it."""
    found = f"it changed by others {times} times meanwhile"
    return NodeError(config.server, expected=f"to patch the node {node}", found=found, cure="run again")


def _in_chain(error: BaseException | None, kind: type[Found]) -> Found | None:
    """Find the error of a kind among those an error came from, the nearest first."""
    while error is not None:
        if isinstance(error, kind):
            return error
        error = error.__cause__ or error.__context__
    return None


def _text(error: BaseException) -> str:
    return one_line(str(error))
