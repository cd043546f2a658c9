"""An `ssh` that plays hosts: a shell script in its place, given the host's name and what is run there."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
import testinfra
from testinfra.host import Host

#: Runs what the host is asked here; the probe wants root and is told that it is.
RUNS = 'exec sh -c "$text"'


def ssh_that(does: str, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a script into the path as `ssh`; it finds the host in $host and the text in $text."""
    directory.mkdir(exist_ok=True)
    # Its arguments: -F FILE -o OPTION HOST TEXT.
    asked = 'host=$5 text=$(printf "%s\\n" "$6" | sed "s/\\$(id -u)/0/")'
    (directory / "ssh").write_text(f"#!/bin/sh\n{asked}\n{does}\n")
    (directory / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{directory}:{os.environ['PATH']}")


def of(name: str) -> Host:
    """Return testinfra's host of a name, reached by that ssh."""
    return testinfra.get_host(f"ssh://{name}?ssh_config=none")


def is_read(fifo: Path) -> bool:
    """Tell whether any process has a fifo open for reading."""
    try:
        os.close(os.open(fifo, os.O_WRONLY | os.O_NONBLOCK))
    except OSError as error:
        if error.errno != errno.ENXIO:
            raise
        return False
    return True
