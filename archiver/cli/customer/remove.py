"""`archiver customer remove`: a record goes, the mail stays."""

from __future__ import annotations

import click

from archiver.cli.asking import asker_once, confirmed, must_be_able_to_ask
from archiver.cli.customer.text import tell_change, titled
from archiver.cli.invocation import Invocation
from archiver.cli.wording import count


@click.command("remove")
@click.argument("text", metavar="CUSTOMER")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Say what would happen to the mail, and change nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(invocation: Invocation, text: str, yes: bool, dry_run: bool, as_json: bool) -> None:
    """Remove a customer's record; the mail stays.

    What was decided by hand about it goes too, and so do the records that were merged into it. It cannot be undone;
    two records of one customer are better merged.
    """
    must_be_able_to_ask(invocation, yes=yes or dry_run)
    settings = invocation.settings()
    ask = asker_once(invocation)
    terminal = invocation.terminal
    if not (yes or dry_run):
        with invocation.app.open_archive(settings, ask=ask) as archive:
            record = archive.customer(text)
            mail = archive.customer_figures(record)
            merged = archive.merged_into(record)
        terminal.note(*titled(record.customer))
        if merged:
            names = ", ".join(other.customer.reference for other in merged)
            terminal.note(f"  {names}, merged into it, {'goes' if len(merged) == 1 else 'go'} with it.")
        lose = "loses its link" if mail.linked == 1 else "lose their links"
        stays = "it stays" if mail.linked == 1 else "they stay"
        if mail.linked:
            terminal.note(f"  {count(mail.linked, 'message')} {lose} to it; {stays} in the archive.")
        else:
            terminal.note("  No mail is linked to it.")
        if mail.candidates:
            terminal.note(f"  {count(mail.candidates, 'message')} will no longer be listed as perhaps theirs.")
        if not confirmed(invocation, "Remove this customer?"):
            terminal.note("Nothing was removed.")
            return
        text = record.customer.reference
    with invocation.app.change_customers(settings, ask=ask, command="customer remove", dry_run=dry_run) as editor:
        change = editor.remove(editor.archive.customer(text))
    if as_json:
        from archiver.cli.customer.shapes import change as shape

        terminal.json(shape(change, invocation.zone, dry_run=dry_run))
        return
    tell_change(invocation, change, dry_run=dry_run)
