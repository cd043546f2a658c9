"""The command `gpufleet`: which commands there are, and how errors end them; each is written beside its subject."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from gpufleet.errors import GpufleetError
from gpufleet.start import INTERRUPTED, SAID

#: Commands in the order of the help, with what imports them (`module:attribute`) and the line the help shows.
COMMANDS = {
    "demo": (
        "gpufleet.demo:demo",
        "Bring up container hosts, give them a verified NVIDIA driver, and show that a second run changes nothing.",
    ),
    "validate": ("gpufleet.inventory.command:validate", "Check a whole inventory without connecting to any host."),
    "stack": ("gpufleet.stack.command:app", "Which software each host gets, why, and whether it fits together."),
    "plan": ("gpufleet.converge.command:plan", "Say what `deploy` would change on each host, and change nothing."),
    "deploy": (
        "gpufleet.converge.command:deploy",
        "Bring hosts to what their inventory declares, and verify those that came to the end.",
    ),
    "verify": (
        "gpufleet.health.command:verify",
        "Check hosts against what their inventory declares, without changing them.",
    ),
    "fabric": ("gpufleet.fabric.command:app", "The InfiniBand fabric: its plan against what is cabled."),
    "modules": (
        "gpufleet.precompiled.command:app",
        "Kernel modules of the driver, built once and installed everywhere.",
    ),
    "lab": ("gpufleet.lab.command:app", "Container hosts that behave like machines, with emulated GPUs."),
}


class _Deferred(TyperCommand):
    """A command known by name and help line, imported when it is called, so that `--help` stays instant."""

    def __init__(self, name: str, target: str, text: str) -> None:
        super().__init__(name=name, callback=None, help=text)
        self._target = target

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Import the command and let it read its arguments: from here on it takes this one's place."""
        return self._load().make_context(info_name, args, parent=parent, **extra)

    def _load(self) -> Any:
        module, attribute = self._target.split(":")
        found = getattr(importlib.import_module(module), attribute)
        if isinstance(found, typer.Typer):
            found.rich_markup_mode = None
            return typer.main.get_group(found)
        alone = typer.Typer(add_completion=False, rich_markup_mode=None)
        alone.command(self.name)(found)
        return typer.main.get_command(alone)


class _Commands(TyperGroup):
    """The group of all commands; turns gpufleet's errors into text and an exit code."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for name, (target, text) in COMMANDS.items():
            self.add_command(_Deferred(name, target, text))

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the commands in the order a newcomer meets them."""
        return list(self.commands)

    def invoke(self, ctx: Any) -> Any:
        """Run a command; an error of gpufleet's own needs no traceback."""
        try:
            return super().invoke(ctx)
        except GpufleetError as error:
            typer.echo(f"gpufleet: {error}", err=True)
            raise typer.Exit(error.exit_code) from error
        except KeyboardInterrupt as interrupt:
            typer.echo(SAID, err=True)
            raise typer.Exit(INTERRUPTED) from interrupt


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.callback()
def _gpufleet() -> None:
    """Turn hosts with GPUs into verified Kubernetes GPU nodes, and keep them that way."""


def main() -> None:
    """Run the command line."""
    sys.exit(app(prog_name="gpufleet"))
