"""`archiver relink`: every message against every customer, from the beginning."""

from __future__ import annotations

import click

from archiver.cli.customer.text import tell_links
from archiver.cli.invocation import Invocation
from archiver.cli.progress import Watch
from archiver.cli.secrets import asker


@click.command("relink")
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(invocation: Invocation, dry_run: bool, as_json: bool) -> None:
    """Work out anew which mail belongs to which customer.

    Seldom needed: whatever changes a customer links its mail anew at once. Decisions by hand stay.
    """
    settings = invocation.settings()
    with Watch(invocation.terminal) as watch:
        ask = watch.pausing(asker(invocation))
        with invocation.app.change_customers(settings, ask=ask, command="relink", dry_run=dry_run) as editor:
            changes = editor.relink(watch.tell)
            references = {record.id: record.customer.reference for record in editor.archive.customers()}
    terminal = invocation.terminal
    if as_json:
        from archiver.cli.customer.shapes import links

        terminal.json({**links(changes, references), "dry_run": dry_run})
        return
    tell_links(terminal, changes, references, dry_run=dry_run)
    if dry_run:
        terminal.line("Nothing was kept: this was a dry run.")
