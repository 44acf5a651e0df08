"""`archiver waiting`: who still waits for an answer of ours, the longest first."""

from __future__ import annotations

from datetime import timedelta
from shlex import quote
from typing import TYPE_CHECKING

import click

from archiver.cli.escape import visible
from archiver.cli.invocation import Invocation
from archiver.cli.layout import Span, cells, cut, pad
from archiver.cli.secrets import asker
from archiver.cli.wording import age, correspondents, count, listed, named, names_of, subject_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from archiver.cli.application import OpenArchive
    from archiver.cli.customer_answers import WaitingPage, WaitingThread

_LIMIT = 20
_AGE_COLUMNS = 10
_LATELY = timedelta(days=30)


@click.command("waiting")
@click.option("--customer", metavar="CUSTOMER", help="Only conversations with this customer.")
@click.option("--all", "everyone", is_flag=True, help="Also with those who are no customers.")
@click.option("--since", metavar="DATE", help="Only what came in from this day on.")
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=_LIMIT,
    show_default=True,
    metavar="N",
    help="Show at most N conversations.",
)
@click.option("--offset", type=click.IntRange(0), default=0, metavar="N", help="Leave out the first N conversations.")
@click.option("--no-pager", is_flag=True, help="Do not use a pager, however long it is.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(
    invocation: Invocation,
    customer: str | None,
    everyone: bool,
    since: str | None,
    limit: int,
    offset: int,
    no_pager: bool,
    as_json: bool,
) -> None:
    """List conversations that nobody answered, oldest first.

    Those whose last word came in from outside, with how long ago; automatic and internal mail does not count.
    CUSTOMER is a reference, a VAT number or a name.
    """
    settings = invocation.settings()
    terminal = invocation.terminal
    with (
        terminal.paged(wanted=not (no_pager or as_json)),
        invocation.app.open_archive(settings, ask=asker(invocation)) as archive,
    ):
        record = archive.customer(customer) if customer is not None else None
        page = archive.waiting(record=record, everyone=everyone, since=since, limit=limit, offset=offset)
        if as_json:
            from archiver.cli.reading_shapes import waiting
            from archiver.cli.shapes import listing

            items = [waiting(item, archive, invocation.zone) for item in page.items]
            terminal.json(listing(page.total, items))
            return
        names = names_of(archive.customers()) if page.items else {}
        for item in page.items:
            _show(invocation, archive, item, names)
        asked = [("--customer", customer), ("--since", since)]
        options = [f"{name} {quote(value)}" for name, value in asked if value is not None]
        options += ["--all"] if everyone else []
        options += [f"--limit {limit}"] if limit != _LIMIT else []
        _close(invocation, page, offset=offset, options=options, everyone=everyone)
        if page.items and since is None and not offset and page.items[0].age > 2 * _LATELY:
            # The oldest first is what was asked for; what is older than a season is rarely what is meant.
            lately = (invocation.clock() - _LATELY).astimezone(invocation.zone)
            again = " ".join(["archiver waiting", *options])
            terminal.line(Span(f"Only the last 30 days: {again} --since {lately:%Y-%m-%d}", "faint"))


def _show(invocation: Invocation, archive: OpenArchive, item: WaitingThread, names: Mapping[str, str]) -> None:
    terminal, message = invocation.terminal, item.message
    whose = [named(reference, names) for reference in message.customers]
    perhaps = [named(reference, names) for reference in message.candidates]
    head = [
        Span(archive.short_id(message.blob_id), "accent"),
        Span(f"  {pad(age(item.age), _AGE_COLUMNS)}  ", "warn"),
    ]
    told = ", ".join(whose) or (f"perhaps {listed(perhaps, last='or')}" if perhaps else "(no customer)")
    room = terminal.table_width - sum(cells(span.text) for span in head)
    terminal.line(*head, Span(cut(visible(told), room), "strong" if whose else "faint"))
    more = f"  {count(item.messages, 'message')}" if item.messages > 1 else ""
    who = cut(visible(correspondents(message)), terminal.table_width - 4 - cells(more))
    terminal.line(f"    {who}", Span(more, "faint"))
    terminal.wrapped(subject_of(message), indent=4, limit=2)
    terminal.line()


def _close(invocation: Invocation, page: WaitingPage, *, offset: int, options: list[str], everyone: bool) -> None:
    terminal, shown = invocation.terminal, len(page.items)
    if not page.total:
        terminal.line("Nobody waits for an answer." if everyone else "No customer waits for an answer.")
        return
    what = count(page.total, "conversation")
    if shown == page.total:
        terminal.line(f"{what} without an answer.")
    elif shown:
        terminal.line(f"{offset + 1:,} to {offset + shown:,} of {what} without an answer.")
    else:
        terminal.line(f"{what} without an answer, none shown from number {offset + 1:,} on.")
    if shown and offset + shown < page.total:
        terminal.line(Span(f"More: {' '.join(['archiver waiting', *options])} --offset {offset + shown}", "faint"))
