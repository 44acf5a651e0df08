"""`archiver customer merge`: two records of one customer become one, and two again."""

from __future__ import annotations

import click

from archiver.cli.asking import asker_once, confirmed, must_be_able_to_ask
from archiver.cli.customer.text import LABEL_COLUMNS, field_lines, tell_change, titled
from archiver.cli.invocation import Invocation
from archiver.cli.layout import Span, pad
from archiver.cli.secrets import asker
from archiver.cli.wording import count
from archiver.errors import UsageError


@click.command("merge")
@click.argument("loser")
@click.argument("into", required=False)
@click.option("--undo", is_flag=True, help="Make LOSER a customer of its own again; what was changed since stays.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(
    invocation: Invocation, loser: str, into: str | None, undo: bool, yes: bool, dry_run: bool, as_json: bool
) -> None:
    """Merge two records of one customer, or undo that.

    Every contact, number, note and link of LOSER goes to INTO, and its reference still finds it. Facts that differ are
    kept as notes.
    """
    if undo:
        if into is not None:
            raise UsageError("--undo needs the merged customer's reference only", hint="archiver customer merge --help")
        _undo(invocation, loser, dry_run=dry_run, as_json=as_json)
        return
    if into is None:
        raise UsageError("into which customer?", hint="archiver customer merge LOSER INTO")
    must_be_able_to_ask(invocation, yes=yes or dry_run)
    settings = invocation.settings()
    ask = asker_once(invocation)
    if not (yes or dry_run):
        with invocation.app.open_archive(settings, ask=ask) as archive:
            lost, won = archive.customer(loser), archive.customer(into)
            mail = archive.customer_figures(lost).linked
        _require_two(lost.id, won.id)
        from archiver.core.customers.merging import merged

        terminal = invocation.terminal
        terminal.note(*titled(lost.customer, gap=" "), " becomes part of ", *titled(won.customer, gap=" "))
        terminal.note(f"  {count(mail, 'message')} of {lost.customer.reference} will be {won.customer.reference}'s.")
        after = merged(won.customer, lost.customer)
        for label, spans in field_lines(won.customer, after, settings.customers.country, invocation.zone):
            terminal.note(f"  {pad(label, LABEL_COLUMNS)}", *spans)
        if not confirmed(invocation, "Merge them?"):
            terminal.note("Nothing was changed.")
            return
        loser, into = lost.customer.reference, won.customer.reference
    with invocation.app.change_customers(settings, ask=ask, command="customer merge", dry_run=dry_run) as editor:
        lost, won = editor.archive.customer(loser), editor.archive.customer(into)
        _require_two(lost.id, won.id)
        change = editor.merge(lost, won)
    if as_json:
        from archiver.cli.customer.shapes import change as shape

        invocation.terminal.json(shape(change, invocation.zone, dry_run=dry_run))
        return
    tell_change(
        invocation,
        change,
        done=f"Merged {lost.customer.reference} into",
        would=f"Would merge {lost.customer.reference} into",
        dry_run=dry_run,
    )
    if not dry_run:
        from shlex import quote

        again = f"archiver customer merge --undo {quote(lost.customer.reference)}"
        invocation.terminal.line("To undo it: ", Span(again, "accent"))


def _require_two(loser: int, winner: int) -> None:
    if loser == winner:
        raise UsageError("both are the same customer", hint="name two different ones")


def _undo(invocation: Invocation, reference: str, *, dry_run: bool, as_json: bool) -> None:
    with invocation.app.change_customers(
        invocation.settings(), ask=asker(invocation), command="customer merge", dry_run=dry_run
    ) as editor:
        change = editor.unmerge(reference)
    if as_json:
        from archiver.cli.customer.shapes import change as shape

        invocation.terminal.json(shape(change, invocation.zone, dry_run=dry_run))
        return
    own = f"{reference} a customer of its own again, and change"
    tell_change(invocation, change, done=f"Made {own}d", would=f"Would make {own}", dry_run=dry_run)
