"""Files the roles own: whole drop-ins rendered from templates/, and their absence."""

from __future__ import annotations

from collections.abc import Generator
from functools import cache
from io import StringIO
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pyinfra.api.command import QuoteString, StringCommand
from pyinfra.api.operation import operation
from pyinfra.context import host
from pyinfra.facts.files import File
from pyinfra.operations import files

from gpufleet.project import ROOT

Commands = Generator[Any, None, None]


@operation()
def rendered(path: str, mode: str = "644", user: str = "root", group: str = "root", **context: Any) -> Commands:
    """
    Write a whole file from its template: `templates/etc/x.conf.j2` becomes `/etc/x.conf`.

    + path: path below the root of the host's file system and below templates/, such as `etc/modprobe.d/nvidia.conf`
    + mode: permissions
    + user: owner
    + group: group
    + context: names the template may use, usually `options=...`; `host` is always there

    **Example:**

    .. code:: python

        files.rendered(name="Write the module options", path="etc/modprobe.d/nvidia.conf", options=options)
    """
    text = render(path, host=host, **context)
    yield from files.put._inner(src=StringIO(text), dest=_target(path), mode=mode, user=user, group=group)


@operation()
def absent(path: str) -> Commands:
    """
    Remove a file, or a link, that a role wrote.

    + path: path as given to `rendered`

    **Example:**

    .. code:: python

        files.absent(name="Remove the module options", path="etc/modprobe.d/nvidia.conf")
    """
    yield from files.file._inner(path=_target(path), present=False)


@operation()
def unsaved(path: str) -> Commands:
    """
    Remove the copy that rpm saved of a file when its package went, and the directory where nothing else is in it.

    + path: path as given to `rendered`

    **Example:**

    .. code:: python

        files.unsaved(name="Forget the saved list of nodes", path="etc/nvidia-imex/nodes_config.cfg")
    """
    saved = f"{_target(path)}.rpmsave"
    # Want none and have none?
    if not host.get_fact(File, path=saved):
        host.noop(f"no {saved}")
        return
    folder = QuoteString(saved.rpartition("/")[0])
    yield StringCommand("rm", "-f", QuoteString(saved), "&&", "rmdir", "--ignore-fail-on-non-empty", folder)


def render(path: str, **context: Any) -> str:
    """Render the template of a target path; an undefined name in it is an error."""
    return _environment().get_template(f"{path.lstrip('/')}.j2").render(context)


def _target(path: str) -> str:
    return f"/{path.lstrip('/')}"


@cache
def _environment() -> Environment:
    """Return an environment of our own: pyinfra's looks in the working directory, and its cache ignores arguments."""
    return Environment(
        loader=FileSystemLoader(ROOT / "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701  # configuration files, not HTML
    )
