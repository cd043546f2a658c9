"""What it means for the operator when an API server does not do what was asked: expected, found, cure."""

from __future__ import annotations

import re
import ssl
from datetime import UTC, datetime

import httpx2
from lightkube import ApiError, ConfigError

from gpufleet.errors import ClusterError, NodeError, UnansweredError
from gpufleet.health.outcomes import one_line
from gpufleet.kubernetes.expiry import ended
from gpufleet.kubernetes.kubeconfig import Kubeconfig
from gpufleet.kubernetes.retries import TRANSIENT, disagreed, in_chain
from gpufleet.kubernetes.rights import MANIFEST, Right
from gpufleet.project import ROOT

#: What OpenSSL calls the faults of a certificate that have a cure of their own (X509_V_ERR_*).
_NOT_IN_FORCE, _OTHER_NAME = {9, 10}, {62, 64}

#: How an API server says that the user lacks a right: pkg/endpoints/handlers/responsewriters/errors.go of apiserver
#: 1.36. Whatever else it forbids, such as by an admission webhook, is about the one node.
_OF_RBAC = re.compile(r'User "[^"]*" cannot ')


def explained(config: Kubeconfig, error: Exception, right: Right, node: str) -> ClusterError:
    """Explain why a request came to nothing."""
    # The library raises something else while it reads an answer that is an error, such as one without Content-Type.
    if answered := in_chain(error, httpx2.HTTPStatusError):
        return refused(config, answered, right, node)
    if isinstance(error, httpx2.HTTPError):
        return unanswered(config, error)
    if isinstance(error, ConfigError | OSError | LookupError):  # of a token's file, or an exec command
        return unusable(config, error)
    return no_api(config)


def unusable(config: Kubeconfig, error: Exception) -> ClusterError:
    """Explain a kubeconfig that cannot be used: a file it names is missing, or a key in it is none."""
    found = f'"{_text(error)}"' if isinstance(error, ConfigError | OSError) else "something else"
    expected = f"a server, an authority and credentials that can be read in the context {config.context}"
    return ClusterError(config.source, expected=expected, found=found, cure="see that kubectl can use it")


def unanswered(config: Kubeconfig, error: httpx2.HTTPError) -> ClusterError:
    """Explain why there was no answer at all, from what the connection ended with."""
    if isinstance(error, httpx2.LocalProtocolError):  # its text holds what it is about: the token
        expected, found = "credentials that HTTP can carry", "other characters in them, such as the end of a line"
        return ClusterError(config.source, expected=expected, found=found, cure="give them without")
    if certificate := in_chain(error, ssl.SSLCertVerificationError):
        return _not_trusted(config, certificate)
    cure = f"check the server in {config.source}, and that it runs"
    expected, found = "an answer of the API server", _end(error)
    if disagreed(error) or isinstance(error, httpx2.UnsupportedProtocol):
        return ClusterError(config.server, expected=expected, found=found, cure=cure)
    return UnansweredError(config.server, expected=expected, found=found, cure=cure)


def _end(error: httpx2.HTTPError) -> str:
    if isinstance(error, httpx2.TimeoutException):
        return "none in time"
    system = in_chain(error, OSError)
    return f'"{(system and system.strerror) or _text(error) or type(error).__name__}"'


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
        case 403 if _OF_RBAC.search(found):
            manifest = MANIFEST.relative_to(ROOT)
            cure = f"apply {manifest}, and use its service account"
            return ClusterError(config.server, expected=f"the right to {right}", found=found, cure=cure)
        case 403:
            cure = "ask who made the rule that it names"
            return NodeError(config.server, expected=f"no rule against {right} {node}", found=found, cure=cure)
        case 404 if isinstance(error, ApiError):
            return no_node(config, node)
    kind = UnansweredError if status in TRANSIENT else NodeError
    cure = "run again once the API server is well"
    return kind(config.server, expected=f"an answer to {right} {node}", found=found, cure=cure)


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


def _text(error: BaseException) -> str:
    return one_line(str(error))
