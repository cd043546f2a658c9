"""Mirrors of image registries, as containerd reads them at every pull."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from io import StringIO
from typing import Any

from pyinfra.api.command import QuoteString, StringCommand
from pyinfra.api.operation import operation
from pyinfra.context import host
from pyinfra.operations import files as pyinfra_files

from gpufleet.containers.registries import path_of
from gpufleet.facts.registries import OwnRegistries

Commands = Generator[Any, None, None]


@operation()
def mirrored(texts: Mapping[str, str]) -> Commands:
    """
    Write the mirrors of registries, read at every pull, and take away those that were written for others.

    + texts: `hosts.toml` by registry

    **Example:**

    .. code:: python

        registries.mirrored(texts={"nvcr.io": text}, name="Write the registries' mirrors")
    """
    others = [name for name in host.get_fact(OwnRegistries) if name not in texts]
    for name, text in texts.items():
        yield from pyinfra_files.put._inner(
            src=StringIO(text), dest=path_of(name), mode="644", user="root", group="root"
        )
    for name in others:
        path = QuoteString(path_of(name))
        folder = QuoteString(path_of(name).rpartition("/")[0])
        yield StringCommand("rm", "-f", path, "&&", "rmdir", "--ignore-fail-on-non-empty", folder)
    # Want none and have none?
    if not texts and not others:
        host.noop("no mirror is declared, and none was written")
