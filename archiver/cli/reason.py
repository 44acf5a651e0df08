"""`--reason`: why a command is run, which the audit trail keeps; in one place, for every command that is recorded."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from archiver.cli.invocation import Invocation

if TYPE_CHECKING:
    from archiver.config import Purpose

_NAME = "reason"


def with_reason(command: click.Command) -> click.Command:
    """Give a command, and those in it, the option; once, however often it is asked for."""
    if not any(parameter.name == _NAME for parameter in command.params):
        command.params.append(
            click.Option(
                ["--reason"],
                metavar="TEXT",
                expose_value=False,
                callback=_keep,
                help="Why, for the audit trail (else ARCHIVER_REASON).",
            )
        )
    if isinstance(command, click.Group):
        for each in command.commands.values():
            with_reason(each)
    return command


def _keep(ctx: click.Context, _parameter: click.Parameter, value: str | None) -> None:
    if value is not None and isinstance(ctx.obj, Invocation):
        ctx.obj.reason = value


def purpose_of(invocation: Invocation) -> Purpose:
    """Return why this command is run; where a person is there, and only if it is wanted, they are asked.

    What it warns of goes to standard error.
    """
    from archiver.config import Purpose

    given = invocation.reason if invocation.reason is not None else invocation.environ.get("ARCHIVER_REASON")
    return Purpose(given, _asking_once(invocation) if invocation.person_present else None, invocation.warn)


def _asking_once(invocation: Invocation) -> Callable[[], str]:
    told: list[str] = []

    def ask() -> str:
        if not told:
            told.append(invocation.read_line("Why (for the audit trail)? "))
        return told[0]

    return ask
