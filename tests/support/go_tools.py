"""A stand-in of Go beside nothing else of the machine's own: what builds programs is told apart from the build."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

#: Answers as go does; what it makes of `go build` is the test's own text, in the words of the shell.
GO = """#!/bin/sh
echo "$CGO_ENABLED $*" >>{log}
case $1 in
    env) echo {version} ;;
    build) while [ "$1" != -o ]; do shift; done; {make} ;;
esac
"""


def program(path: Path, text: str) -> None:
    """Write a program."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def alone(folder: Path, patch: pytest.MonkeyPatch, variable: str) -> Path:
    """A directory of tools that comes first, its own cache beside it; ready programs of a variable are not seen."""
    patch.delenv(variable, raising=False)
    patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    tools = folder / "tools"
    tools.mkdir()
    (tools / "env").symlink_to("/usr/bin/env")
    patch.setenv("PATH", str(tools))
    return tools


def with_go(tools: Path, patch: pytest.MonkeyPatch, make: str, version: str = "go1.26.8") -> Path:
    """Put a Go there that builds at once, with `$2` for where to: the file in which it says what it was told."""
    log = tools.parent / "log"
    program(tools / "go", GO.format(log=log, make=make, version=version))
    patch.setenv("PATH", f"{tools}:{os.defpath}")
    return log
