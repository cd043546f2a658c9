"""Write the README of every role from its docstring and its options: `python -m gpufleet.docs [--check]`."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from pprint import pformat

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from gpufleet import roles
from gpufleet.errors import ProjectError
from gpufleet.inventory import option_types
from gpufleet.options import RoleOptions
from gpufleet.project import ROOT

_PAGE = """\
# {title}

{text}

## Options

A dictionary named `{title}` in group data, or in a host's own data. Options that are left out have their default.

| Option | Type | Default | Meaning |
|---|---|---|---|
{rows}
{defaults}
<!-- Written by `python -m gpufleet.docs` from this role's docstring and options: change those. -->
"""

#: Types whose defaults group data can write as they are.
_PLAIN = (str, int, float, list, tuple, dict)

#: What a role's docstring must tell an operator.
_MUST_SAY = ("It configures:", "It will not:")

_STALE = "expected what the role's options say, found otherwise; run `python -m gpufleet.docs`"

#: Longer defaults are shown below the table.
_LONGEST_DEFAULT = 60


def page(role: str, options: type[RoleOptions], root: Path = ROOT) -> str:
    """Return the README of one role."""
    fields = list(_fields(options))
    rows = [_row(name, field) for name, field in fields]
    defaults = [_long_default(name, field) for name, field in fields if _brief_default(field) == "below"]
    return _PAGE.format(title=role, text=_text(role, root), rows="\n".join(rows), defaults="".join(defaults))


def stale(root: Path = ROOT) -> dict[Path, str]:
    """Return the READMEs that are not what they should be, with what they should be."""
    discovered = roles.discover(root).items()
    pages = {root / "roles" / role / "README.md": page(role, options, root) for role, options in discovered}
    return {path: text for path, text in pages.items() if not path.exists() or path.read_text() != text}


def main(arguments: list[str]) -> int:
    """Write the stale READMEs, or name them with `--check`."""
    found = stale()
    for path, text in found.items():
        name = path.relative_to(ROOT)
        if "--check" in arguments:
            sys.stderr.write(f"{name}: {_STALE}\n")
        else:
            path.write_text(text)
            sys.stdout.write(f"wrote {name}\n")
    return 1 if found and "--check" in arguments else 0


def _text(role: str, root: Path) -> str:
    """Find the docstring that says what the role does; deploys are read, not imported: that would import pyinfra."""
    folder = root / "roles" / role
    for path in (folder / "deploy.py", folder / "options.py", folder / "__init__.py"):
        for text in _docstrings(path) if path.exists() else ():
            if all(phrase in text for phrase in _MUST_SAY):
                return text
    raise ProjectError(
        f"roles/{role}",
        expected=f"a docstring in deploy.py or options.py with {' and '.join(map(repr, _MUST_SAY))}",
        found="none",
        cure="say there what the role does and what it leaves alone, as two lists",
    )


def _docstrings(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and (text := ast.get_docstring(node)):
            yield inspect.cleandoc(text)


def _fields(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Yield every option under its full name; a group of options shows as its members."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _fields(field.annotation, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", field


def _row(name: str, field: FieldInfo) -> str:
    kind = ", ".join([option_types.describe(field.annotation), *option_types.limits(field.metadata)])
    cells = (f"`{name}`", kind, _brief_default(field), field.description or "")
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _brief_default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    default = _default(field)
    return f"`{default}`" if len(default) <= _LONGEST_DEFAULT else "below"


def _long_default(name: str, field: FieldInfo) -> str:
    return f"\nDefault of `{name}`:\n\n```python\n{_default(field)}\n```\n"


def _default(field: FieldInfo) -> str:
    """Return a default as group data would write it."""
    default = field.get_default(call_default_factory=True, validated_data={})
    plain = default if isinstance(default, _PLAIN) or default is None else str(default)
    if isinstance(plain, str):
        return f'"{plain}"'
    return pformat(plain, sort_dicts=False, width=100)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
