"""Groups of commands that are imported when they run: `--help` and completion of a group import none of them."""

from __future__ import annotations

import importlib
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from archiver.cli.reason import with_reason

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

Loaders = Mapping[str, tuple[str, str]]
"""Name, module (which has the click command as `command`) and one-line help, in the order of the listing."""


class LazyGroup(click.Group):
    """A group whose commands are imported when they run; those that are recorded get `--reason`."""

    def __init__(self, *arguments: Any, loaders: Loaders, unrecorded: Collection[str] = (), **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._loaders = loaders
        self._unrecorded = unrecorded

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click calls it so
        """Return the names in the order of the table."""
        return list(self._loaders)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import one command; None when there is none of that name."""
        entry = self._loaders.get(cmd_name)
        if entry is None:
            return None
        command: click.Command = importlib.import_module(entry[0]).command
        return command if cmd_name in self._unrecorded else with_reason(command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands from the table, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_) for name, (_module, help_) in self._loaders.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete command names without importing the commands."""
        from click.shell_completion import CompletionItem

        names: Sequence[str] = [name for name in self._loaders if name.startswith(incomplete)]
        return [CompletionItem(name, help=self._loaders[name][1]) for name in names] + click.Command.shell_complete(
            self, ctx, incomplete
        )
