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
