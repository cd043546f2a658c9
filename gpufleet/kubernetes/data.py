"""The key `kubernetes` of the inventory: which API server knows a host, and who gpufleet is there."""

from __future__ import annotations

from pydantic import Field

from gpufleet.options import RoleOptions
from gpufleet.options.secret import Secret


class ClusterData(RoleOptions, key="kubernetes"):
    """How gpufleet itself reaches the API server; what the host needs for that is the role's own."""

    kubeconfig: Secret | None = Field(
        default=None,
        description="Kubeconfig of gpufleet on the controller; none takes $KUBECONFIG, then `~/.kube/config`.",
    )
    context: str | None = Field(default=None, description="Context of the kubeconfig; none takes its current one.")

    @property
    def described(self) -> str:
        """How the cluster is found, in words: the same for two hosts only where it is the same cluster."""
        places = self.kubeconfig.model_dump(exclude_none=True) if self.kubeconfig else {}
        named = [f"{kind} {' '.join(it) if isinstance(it, tuple) else it}" for kind, it in places.items()]
        return f"{named[0] if named else 'the default kubeconfig'}{f', context {self.context}' if self.context else ''}"
