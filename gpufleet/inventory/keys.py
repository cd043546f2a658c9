"""Dictionaries in host data that are no role's: what a machine is, what its stack shall be, where its cluster is."""

from __future__ import annotations

from collections.abc import Mapping

from gpufleet.kubernetes.data import ClusterData
from gpufleet.options import RoleOptions
from gpufleet.stack.declared import DeclaredMachine
from gpufleet.stack.wanted import StackData

#: With the page that lists what each may hold.
PAGES: Mapping[type[RoleOptions], str] = {
    DeclaredMachine: "docs/stack.md",
    StackData: "docs/stack.md",
    ClusterData: "docs/preflight.md",
}

KEYS: Mapping[str, type[RoleOptions]] = {keys.key: keys for keys in PAGES}
