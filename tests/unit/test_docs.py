"""Generated pages of roles."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from pydantic import BaseModel, Field

from gpufleet import docs, roles
from gpufleet.errors import ProjectError
from gpufleet.options import RoleOptions
from gpufleet.project import ROOT


class Limits(BaseModel):
    files: int = Field(default=1024, ge=64, le=4096, description="Files a process may have open.")


class Demo(RoleOptions, key="demo"):
    version: str = Field(description="Exact version, as `a|b`.")
    flavor: Literal["open", "closed"] = Field(default="open", description="Which build.")
    limits: Limits = Limits()
    settings: dict[str, int | str] = Field(
        default={"net.core.somaxconn": 4096, "vm.max_map_count": 1048576, "kernel.panic": 10}, description="Settings."
    )
    mirror: str | None = None


DEPLOY = '''
def demo() -> None:
    """A demonstration.

    It configures:

    - one thing

    It will not:

    - do another
    """
'''

PAGE = """\
# demo

A demonstration.

It configures:

- one thing

It will not:

- do another

## Options

A dictionary named `demo` in group data, or in a host's own data. Options that are left out have their default.

| Option | Type | Default | Meaning |
|---|---|---|---|
| `version` | str | required | Exact version, as `a\\|b`. |
| `flavor` | "open" or "closed" | `"open"` | Which build. |
| `limits.files` | int, at least 64, at most 4096 | `1024` | Files a process may have open. |
| `settings` | dict of str to int or str | below | Settings. |
| `mirror` | str or None | `None` |  |

Default of `settings`:

```python
{'net.core.somaxconn': 4096, 'vm.max_map_count': 1048576, 'kernel.panic': 10}
```

<!-- Written by `python -m gpufleet.docs` from this role's docstring and options: change those. -->
"""


def tree(root: Path, deploy: str) -> Path:
    (root / "roles/demo").mkdir(parents=True)
    (root / "roles/demo/deploy.py").write_text(deploy)
    return root


def test_page(tmp_path: Path) -> None:
    assert docs.page("demo", Demo, tree(tmp_path, DEPLOY)) == PAGE


def test_a_role_must_say_what_it_leaves_alone(tmp_path: Path) -> None:
    with pytest.raises(ProjectError) as caught:
        docs.page("demo", Demo, tree(tmp_path, '"""It configures: everything."""\n'))
    assert str(caught.value) == (
        "roles/demo: expected a docstring in deploy.py or options.py with 'It configures:' and 'It will not:', "
        "found none; say there what the role does and what it leaves alone, as two lists"
    )


def test_every_readme_is_current() -> None:
    assert [str(path) for path in docs.stale()] == []


def test_check_names_what_is_stale(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(docs, "stale", lambda: {ROOT / "roles/base/README.md": "new"})
    assert docs.main(["--check"]) == 1
    assert capsys.readouterr().err == (
        "roles/base/README.md: expected what the role's options say, found otherwise; run `python -m gpufleet.docs`\n"
    )


def test_every_role_has_options_named_like_its_folder() -> None:
    assert {name: options.key for name, options in roles.discover().items()} == {
        path.parent.name: path.parent.name for path in ROOT.glob("roles/*/options.py")
    }
