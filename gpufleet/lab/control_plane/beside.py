"""What a minor of Kubernetes has beside in its repository: packages with versions of their own."""

from __future__ import annotations

from gpufleet.lab.vendors import releases
from gpufleet.lab.vendors.releases import Words


def versions(release: str) -> Words:
    """Version of each such package for a release such as `1.36.3`; those of the newest minor where none is known."""
    rows: dict[str, Words] = releases.read("kubernetes")["beside"]
    newest = max(rows, key=lambda minor: int(minor.split(".")[1]))
    return rows.get(".".join(release.split(".")[:2]), rows[newest])
