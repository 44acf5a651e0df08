"""`archiver history`: the mail with one customer, as people remember it: by day, a conversation at a time."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

import click

from archiver.cli.invocation import Invocation
from archiver.cli.layout import Span, cells, cut, pad
from archiver.cli.secrets import asker
from archiver.cli.wording import ARROWS, arrow, clock_time, correspondents, count, day, subject_of
from archiver.model.catalogue import Summary
from archiver.model.message import Direction

if TYPE_CHECKING:
    from archiver.cli.application import OpenArchive
    from archiver.cli.customer_answers import History, HistoryThread
    from archiver.model.customer import CustomerRecord

_LIMIT = 20
_FIRST_LINES = 2


@click.command("history")
@click.argument("customer", metavar="CUSTOMER")
@click.option("--since", metavar="DATE", help="Only mail from this day on.")
@click.option("--until", metavar="DATE", help="Only mail up to and including this day.")
@click.option("--contact", metavar="TEXT", help="Only mail with this address, or with contacts whose name has TEXT.")
@click.option(
    "--direction",
    type=click.Choice([Direction.INCOMING.value, Direction.OUTGOING.value, Direction.INTERNAL.value]),
    help="Only mail that went this way.",
)
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=_LIMIT,
    show_default=True,
    metavar="N",
    help="Show at most N conversations.",
)
@click.option("--offset", type=click.IntRange(0), default=0, metavar="N", help="Leave out the first N conversations.")
@click.option("--expand", is_flag=True, help="Show every message of a conversation, not only the newest.")
@click.option("--candidates", is_flag=True, help="Show the mail that might be the customer's instead.")
@click.option("--no-pager", is_flag=True, help="Do not use a pager, however long it is.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(
    invocation: Invocation,
    customer: str,
    since: str | None,
    until: str | None,
    contact: str | None,
    direction: str | None,
    limit: int,
    offset: int,
    expand: bool,
    candidates: bool,
    no_pager: bool,
    as_json: bool,
) -> None:
    """Show the mail with a customer, newest first.

    Both directions, by day, a conversation at a time: its newest message with its first lines. CUSTOMER is a reference,
    a VAT number or a name. Dates are 2026-03-31, 2026-03 or 2026.
    """
    settings = invocation.settings()
    terminal = invocation.terminal
    with (
        terminal.paged(wanted=not (no_pager or as_json)),
        invocation.app.open_archive(settings, ask=asker(invocation)) as archive,
    ):
        record = archive.customer(customer)
        page = archive.history(
            record,
            since=since,
            until=until,
            contact=contact,
            direction=Direction(direction) if direction is not None else None,
            limit=limit,
            offset=offset,
            candidates=candidates,
        )
        if as_json:
            from archiver.cli.reading_shapes import history

            terminal.json(history(record, page, archive, invocation.zone))
            return
        asked = [("--since", since), ("--until", until), ("--contact", contact), ("--direction", direction)]
        filters = [f"{name} {quote(value)}" for name, value in asked if value is not None]
        _show(invocation, archive, record, page, expand=expand, candidates=candidates)
        options = [*filters, *(["--limit", str(limit)] if limit != _LIMIT else [])]
        options += [name for name, given in (("--expand", expand), ("--candidates", candidates)) if given]
        _close(invocation, record, page, offset=offset, options=options, filtered=bool(filters), candidates=candidates)


def _show(
    invocation: Invocation,
    archive: OpenArchive,
    record: CustomerRecord,
    page: History,
    *,
    expand: bool,
    candidates: bool,
) -> None:
    terminal = invocation.terminal
    terminal.line(
        Span(f"{record.customer.reference} {record.customer.name}", "strong"),
        Span("  mail that might be theirs", "warn") if candidates and page.threads else "",
    )
    told = ""
    for thread in page.threads:
        heading = _day(invocation, thread.messages[0])
        terminal.line()
        if heading != told:
            terminal.line(Span(heading, "accent"))
            told = heading
        _thread(invocation, archive, thread, expand=expand)


def _day(invocation: Invocation, message: Summary) -> str:
    """Return the day of a message: as people say it on a terminal, as they sort it into a pipe."""
    if invocation.terminal.out_is_terminal:
        return day(message.at, now=invocation.clock(), zone=invocation.zone)
    return f"{message.at.astimezone(invocation.zone):%Y-%m-%d}"


def _thread(invocation: Invocation, archive: OpenArchive, thread: HistoryThread, *, expand: bool) -> None:
    newest, messages = thread.messages[0], len(thread.messages)
    number = f"  {count(messages, 'message')}" if messages > 1 else ""
    who = thread.contact or correspondents(newest)
    _head(invocation, archive, newest, who, after=number, time=clock_time(newest.at, zone=invocation.zone))
    invocation.terminal.wrapped(Span(subject_of(newest), "strong"), indent=4, limit=2)
    _first_lines(invocation, newest, indent=4)
    if not expand:
        return
    # Not before: a long conversation is read from the archive as it is shown.
    for message in thread.messages[1:]:
        _head(
            invocation,
            archive,
            message,
            correspondents(message),
            time=pad(invocation.date(message.at), 15),
            indent=4,
        )
        _first_lines(invocation, message, indent=8)


def _head(
    invocation: Invocation,
    archive: OpenArchive,
    message: Summary,
    who: str,
    *,
    time: str,
    after: str = "",
    indent: int = 0,
) -> None:
    terminal = invocation.terminal
    mark = arrow(message.direction, plain=not terminal.can_show(ARROWS))
    head = [Span(" " * indent), Span(archive.short_id(message.blob_id), "accent"), Span(f"  {time}  {mark} ")]
    room = terminal.table_width - sum(cells(span.text) for span in head) - cells(after)
    terminal.line(*head, cut(_safe(who), room), Span(after, "faint"))


def _first_lines(invocation: Invocation, message: Summary, *, indent: int) -> None:
    terminal = invocation.terminal
    words = " ".join(message.preview.split())
    if words:
        terminal.wrapped(words, indent=indent, limit=_FIRST_LINES)
    if message.attachments:
        files = f"{count(len(message.attachments), 'file')}: {', '.join(message.attachments)}"
        terminal.line(" " * indent, Span(cut(_safe(files), terminal.table_width - indent), "faint"))


def _close(
    invocation: Invocation,
    record: CustomerRecord,
    page: History,
    *,
    offset: int,
    options: list[str],
    filtered: bool,
    candidates: bool,
) -> None:
    terminal = invocation.terminal
    again = f"archiver history {quote(record.customer.reference)}"
    shown = len(page.threads)
    terminal.line()
    if not shown and offset and page.total:
        terminal.line(f"{count(page.total, 'message')} found, no conversation from number {offset + 1:,} on.")
    elif not shown:
        what = "No mail that might be theirs" if candidates else "No mail"
        terminal.line(f"{what} fits what was asked for." if filtered else f"{what}.")
    elif page.more or offset:
        messages = sum(len(thread.messages) for thread in page.threads)
        which = f"Conversations {offset + 1:,} to {offset + shown:,}" if shown > 1 else f"Conversation {offset + 1:,}"
        terminal.line(f"{which}: {messages:,} of {count(page.total, 'message')}.")
    else:
        terminal.line(f"{count(page.total, 'message')} in {count(shown, 'conversation')}.")
    if page.more:
        terminal.line(Span(f"More: {' '.join([again, *options])} --offset {offset + shown}", "faint"))
    if page.candidates and not candidates:
        might = f"{count(page.candidates, 'message')} might be theirs too: "
        terminal.line(Span(might, "warn"), f"{again} --candidates")


def _safe(text: str) -> str:
    from archiver.cli.escape import visible

    return visible(text)
