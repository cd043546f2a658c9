"""Dictionaries in host data that are no role's: what a machine is, and what is wanted of its stack beyond the roles."""

from __future__ import annotations

from collections.abc import Mapping

from gpufleet.options import RoleOptions
from gpufleet.stack.declared import DeclaredMachine
from gpufleet.stack.wanted import StackData

KEYS: Mapping[str, type[RoleOptions]] = {keys.key: keys for keys in (DeclaredMachine, StackData)}

#: The page that lists what they may hold.
PAGE = "docs/stack.md"
