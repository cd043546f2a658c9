"""Names that Kubernetes allows: of nodes, of labels and of taints. Pure texts; what is refused raises ValueError.

Source: Kubernetes, "Object Names and IDs" and "Labels and Selectors", and apimachinery's pkg/util/validation of 1.36.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

#: Domain of every label, taint and annotation that is gpufleet's own.
DOMAIN = "gpufleet.dev"

_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_WORD = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
_SUBDOMAIN_LENGTH, _WORD_LENGTH = 253, 63

#: Domains whose labels a kubelet may set on its own node only where they are listed; all other domains are free.
_RESTRICTED = ("kubernetes.io", "k8s.io")
_KUBELETS_DOMAINS = ("kubelet.kubernetes.io", "node.kubernetes.io")
_KUBELETS_KEYS = frozenset({
    "kubernetes.io/hostname", "kubernetes.io/arch", "kubernetes.io/os", "beta.kubernetes.io/arch",
    "beta.kubernetes.io/instance-type", "beta.kubernetes.io/os", "failure-domain.beta.kubernetes.io/region",
    "failure-domain.beta.kubernetes.io/zone", "topology.kubernetes.io/region", "topology.kubernetes.io/zone",
})  # fmt: skip


def node_name(text: str) -> str:
    """Return the name of a node; refuse what is no RFC 1123 subdomain, such as a name with capitals or underscores."""
    if not _is_subdomain(text):
        cure = "set node_name to one, or rename the host"
        raise ValueError(
            "expected a name of lowercase letters, digits, `-` and `.` that begins and ends with a letter or digit, "
            f"{_SUBDOMAIN_LENGTH} characters at most, as Kubernetes demands of a node (RFC 1123), "
            f"found {text!r}; {cure}"
        )
    return text


def label_key(text: str) -> str:
    """Return the key of a label or taint: `name` or `domain/name`."""
    domain, slash, word = text.rpartition("/")
    if not _is_word(word) or (slash and not _is_subdomain(domain)):
        raise ValueError(
            f"expected a key such as example.org/rack, found {text!r}; its last part has {_WORD_LENGTH} letters, "
            "digits, `-`, `_` and `.` at most, begins and ends with a letter or digit, and may have a domain before it"
        )
    return text


def label_value(text: str) -> str:
    """Return the value of a label or taint; the empty one is allowed."""
    if text and not _is_word(text):
        raise ValueError(
            f"expected a value of {_WORD_LENGTH} letters, digits, `-`, `_` and `.` at most that begins and ends with a "
            f"letter or digit, found {text!r}; write it so"
        )
    return text


def safe_value(text: str) -> str:
    """Return a value of a label made of any text: what is not allowed becomes `-`, what is too long is cut."""
    allowed = re.sub(r"[^A-Za-z0-9_.-]+", "-", text)
    return allowed[:_WORD_LENGTH].strip("-_.")


def kubelet_may_set(key: str) -> bool:
    """Tell whether a kubelet may put a label on its own node, by its flag and by the NodeRestriction admission.

    Source: kubelet's pkg/apis/well_known_labels.go and cmd/kubelet/app/options of 1.36.
    """
    domain = key.rpartition("/")[0]
    if not any(_within(domain, restricted) for restricted in _RESTRICTED):
        return True
    return key in _KUBELETS_KEYS or any(_within(domain, own) for own in _KUBELETS_DOMAINS)


def _is_subdomain(text: str) -> bool:
    return len(text) <= _SUBDOMAIN_LENGTH and bool(_SUBDOMAIN.fullmatch(text))


def _is_word(text: str) -> bool:
    return len(text) <= _WORD_LENGTH and bool(_WORD.fullmatch(text))


def _within(domain: str, other: str) -> bool:
    return domain == other or domain.endswith(f".{other}")


LabelKey = Annotated[str, AfterValidator(label_key)]
LabelValue = Annotated[str, AfterValidator(label_value)]


class Taint(BaseModel):
    """A taint of a node: what does not tolerate it is not scheduled there, or is evicted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: LabelKey = Field(description="Key, such as `example.org/dedicated`.")
    value: LabelValue = Field(default="", description="Value.")
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] = Field(description="What it does.")

    def __str__(self) -> str:
        return f"{self.key}={self.value}:{self.effect}" if self.value else f"{self.key}:{self.effect}"


#: What a new node has until its checks pass.
PREFLIGHT = Taint(key=f"{DOMAIN}/preflight", value="pending", effect="NoSchedule")
