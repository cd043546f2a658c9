"""Secrets of role options: named in the inventory, kept elsewhere on the controller, read when they are needed."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from gpufleet.errors import GpufleetError

#: Seconds a command may take to print a secret: password managers may ask a remote service.
COMMAND_TIMEOUT = 60


class Secret(BaseModel):
    """Where the controller finds a secret; the secret itself stands in no inventory, plan, log or report."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: Path | None = Field(default=None, description="File on the controller that holds it.")
    env: str | None = Field(default=None, description="Environment variable of the controller that holds it.")
    command: tuple[str, ...] | None = Field(
        default=None, description="Command on the controller that prints it, as a list."
    )

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        given = [name for name, value in self if value is not None]
        if len(given) != 1:
            found = " and ".join(given) or "none"
            raise ValueError(f"expected one of file, env and command, found {found}; name the place of the secret once")
        return self

    def read(self, where: str) -> bytes:
        """Read the secret; `where` names the option in the error of one that cannot be read."""
        if self.file is not None:
            return self._from_file(self.file, where)
        if self.env is not None:
            if self.env not in os.environ:
                raise _unreadable(where, f"environment variable {self.env}", "it not set", "set it and run again")
            return os.environb[os.fsencode(self.env)]
        return self._from_command(self.command or (), where)

    def _from_file(self, path: Path, where: str) -> bytes:
        try:
            return path.read_bytes()
        except OSError as error:
            cure = "put it there, or correct the path"
            raise _unreadable(where, f"file {path}", str(error.strerror).lower(), cure) from None

    def _from_command(self, command: tuple[str, ...], where: str) -> bytes:
        """Say how a command failed, but nothing of what it printed: that may be part of the secret."""
        source = f"command {command[0]}" if command else "a command"
        try:
            done = subprocess.run(command, capture_output=True, timeout=COMMAND_TIMEOUT, check=False)
        except (OSError, IndexError, subprocess.TimeoutExpired) as error:
            raise _unreadable(where, source, type(error).__name__, "run it by hand to see why") from None
        if done.returncode:
            raise _unreadable(where, source, f"exit status {done.returncode}", "run it by hand to see why")
        return done.stdout


def _unreadable(where: str, source: str, found: str, cure: str) -> GpufleetError:
    return GpufleetError(where, expected=f"a secret from {source}", found=found, cure=cure)
