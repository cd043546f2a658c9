"""Find the roles of the working tree: a folder in roles/ with an options.py is a role; none is named in code."""

from __future__ import annotations

import importlib
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TypeGuard

from gpufleet.errors import ProjectError
from gpufleet.options import RoleOptions
from gpufleet.project import ROOT


@cache
def discover(root: Path = ROOT) -> dict[str, type[RoleOptions]]:
    """Return the options class of every role in `root/roles`, by the role's name."""
    if str(root) not in sys.path:  # the `gpufleet` script starts with the directory of the script alone
        sys.path.append(str(root))
    names = sorted(path.parent.name for path in root.glob("roles/*/options.py"))
    return {name: _options_class(name, importlib.import_module(f"roles.{name}.options")) for name in names}


def _options_class(name: str, module: ModuleType) -> type[RoleOptions]:
    named = vars(module).values()
    classes = [item for item in named if _is_role_options(item) and item.__module__ == module.__name__]
    if len(classes) != 1 or classes[0].key != name:
        found = ", ".join(f'{item.__name__} with key "{item.key}"' for item in classes) or "none"
        raise ProjectError(
            f"roles/{name}/options.py",
            expected=f'one subclass of RoleOptions with key="{name}"',
            found=found,
            cure="give the role one options class with the folder's name as its key",
        )
    return classes[0]


def _is_role_options(item: object) -> TypeGuard[type[RoleOptions]]:
    return isinstance(item, type) and issubclass(item, RoleOptions) and item is not RoleOptions
