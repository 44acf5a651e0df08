"""`archiver reindex`: the full-text index from nothing but the catalogue and the sealed mail."""

from __future__ import annotations

import click

from archiver.cli.invocation import Invocation
from archiver.cli.progress import Watch
from archiver.cli.secrets import asker
from archiver.cli.wording import count


@click.command("reindex")
@click.pass_obj
def command(invocation: Invocation) -> None:
    """Build the full-text index anew.

    Nothing but the index is touched; searches meanwhile may find less.
    """
    settings = invocation.settings()
    with Watch(invocation.terminal) as watch:
        ask = watch.pausing(asker(invocation))
        with invocation.app.open_archive(settings, ask=ask, on_progress=watch.tell) as archive:
            indexed = archive.reindex(watch.tell)
    invocation.terminal.line(f"{count(indexed, 'message')} indexed.")
