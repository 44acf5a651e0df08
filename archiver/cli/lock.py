"""`archiver lock`: forget the key before its time."""

from __future__ import annotations

import click

from archiver.cli.invocation import Invocation


@click.command("lock")
@click.pass_obj
def command(invocation: Invocation) -> None:
    """Forget the key that unlock keeps."""
    was_unlocked = invocation.app.lock(invocation.settings())
    invocation.terminal.line("Locked." if was_unlocked else "It was locked already.")
