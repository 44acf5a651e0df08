"""`archiver thread`: a conversation, oldest message first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from archiver.cli.conversation import identity
from archiver.cli.escape import visible
from archiver.cli.invocation import Invocation
from archiver.cli.layout import Span, cells, cut, pad
from archiver.cli.prose import print_text, text_lines
from archiver.cli.secrets import asker
from archiver.cli.terminal import Terminal
from archiver.cli.wording import ARROWS, arrow, correspondents, count, named, names_of, subject_of
from archiver.model.catalogue import Summary

if TYPE_CHECKING:
    from archiver.cli.application import OpenArchive

_DATE_COLUMNS = 16
_WHO_COLUMNS = 30
_HEAD_COLUMNS = 32
_ROOM_FOR_WORDS = 24
_REPLY_MARKS = frozenset({"re", "aw", "antw", "antwort", "sv", "réf", "ref", "tr", "fw", "fwd", "wg", "doorst"})


@click.command("thread")
@click.argument("name", metavar="ID")
@click.option("--full", is_flag=True, help="With the text of each message, without what it quotes.")
@click.option("--no-pager", is_flag=True, help="Do not use a pager, however long it is.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(invocation: Invocation, name: str, full: bool, no_pager: bool, as_json: bool) -> None:
    """List the conversation that a message belongs to.

    One line a message, oldest first; the message asked for is marked. ID is what search prints.
    """
    settings = invocation.settings()
    with (
        invocation.terminal.paged(wanted=not (no_pager or as_json)),
        invocation.app.open_archive(settings, ask=asker(invocation)) as archive,
    ):
        row = archive.resolve(name)
        messages = archive.thread(row)
        if as_json:
            from archiver.cli.shapes import listing, message_line

            items = []
            for summary in messages:
                item = message_line(summary, archive, invocation.zone)
                item["text" if full else "snippet"] = archive.parsed(summary.row).text if full else summary.preview
                items.append(item)
            invocation.terminal.json(listing(len(items), items))
            return
        _show(invocation, archive, messages, asked=row, full=full)


def _show(invocation: Invocation, archive: OpenArchive, messages: Sequence[Summary], *, asked: int, full: bool) -> None:
    terminal = invocation.terminal
    terminal.line(Span(cut(subject_of(messages[0]), terminal.table_width), "strong"))
    _whose(terminal, archive, messages)
    told = bare_subject(messages[0].subject)
    once = _once(messages, asked)
    columns, bare = _who_columns(terminal, once)
    for summary in once:
        if full:
            terminal.line()
        name = archive.short_id(summary.blob_id)
        who = visible(correspondents(summary, bare=bare and not full))
        _line(invocation, summary, name, who, columns=columns, told=told, asked=summary.row == asked, full=full)
        told = bare_subject(summary.subject)
        if full:
            _text(terminal, archive, summary)
    terminal.line()
    copies = len(messages) - len(once)
    more = f"; {count(copies, 'copy', 'copies')} in other mailboxes left out" if copies else ""
    terminal.line(f"{count(len(once), 'message')}{more}.")


def _once(messages: Sequence[Summary], asked: int) -> Sequence[Summary]:
    """Return the messages without copies of the same one; the message asked for stands for its own."""
    first = {identity(summary): summary for summary in reversed(messages)}
    first.update({identity(summary): summary for summary in messages if summary.row == asked})
    rows = {summary.row for summary in first.values()}
    return [summary for summary in messages if summary.row in rows]


def _who_columns(terminal: Terminal, messages: Sequence[Summary]) -> tuple[int, bool]:
    """Return how many columns people take, and whether names alone must do because addresses have no room."""
    room = terminal.table_width - _HEAD_COLUMNS
    limit = min(_WHO_COLUMNS if terminal.out_is_terminal else 2 * _WHO_COLUMNS, max(12, room // 2))
    for bare in (False, True):
        widest = max(cells(visible(correspondents(summary, bare=bare))) for summary in messages)
        if widest <= limit:
            return widest, bare
    return limit, True


def _text(terminal: Terminal, archive: OpenArchive, summary: Summary) -> None:
    """Print what a message adds to the conversation; quotes are told only where an answer stands below them."""
    passages = list(archive.passages(summary.row))
    while passages and passages[-1].quoted:
        passages.pop()
    if not passages:
        terminal.line(Span("  (no text of its own)", "faint"))
    width = terminal.prose - 2 if terminal.prose else None
    print_text(terminal, text_lines(passages, quoted=False, width=width), indent=2)
    if summary.attachments:
        names = ", ".join(name or "(no name)" for name in summary.attachments)
        terminal.wrapped(
            Span(f"[{count(len(summary.attachments), 'file')}: {names}]", "faint"), indent=2, hanging=2, limit=2
        )


def _whose(terminal: Terminal, archive: OpenArchive, messages: Sequence[Summary]) -> None:
    """Print the customers of the conversation, and apart from them those it might belong to."""
    linked = dict.fromkeys(reference for summary in messages for reference in summary.customers)
    perhaps = dict.fromkeys(reference for summary in messages for reference in summary.candidates)
    if not (linked or perhaps):
        return
    names = names_of(archive.customers())
    for label, references in (("with ", linked), ("might be with ", [one for one in perhaps if one not in linked])):
        if references:
            terminal.wrapped(Span(label, "faint"), ", ".join(named(reference, names) for reference in references))


def _line(
    invocation: Invocation, summary: Summary, name: str, who: str, *, columns: int, told: str, asked: bool, full: bool
) -> None:
    terminal = invocation.terminal
    plain = not terminal.can_show(ARROWS)
    date = invocation.date(summary.at)
    head = [
        Span("* " if asked else "  ", "warn"),
        Span(f"{name}  ", "accent"),
        Span(pad(date, _DATE_COLUMNS), "faint"),
        Span(f"  {arrow(summary.direction, plain=plain)} "),
    ]
    room = terminal.table_width - sum(cells(span.text) for span in head)
    if full or room < _ROOM_FOR_WORDS:
        terminal.line(*head, Span(cut(who, room), "strong" if full else ""))
        return
    # A subject that changed on the way says more than the first words do.
    changed = bare_subject(summary.subject) != told
    words = visible(" ".join((summary.subject if changed else summary.preview).split()))
    rest = cut(words, min(room - columns - 2, 100))
    terminal.line(*head, pad(cut(who, columns), columns), "  ", Span(rest, "strong" if changed else "faint"))


def bare_subject(subject: str) -> str:
    """Return a subject without the marks of replying and forwarding, in the languages we meet, for comparison only."""
    bare = " ".join(subject.split()).casefold()
    while True:
        if bare.startswith("["):  # a mailing list's name, which programs put before "Re:" or behind it
            bare = bare.partition("]")[2].strip() or bare[1:]
        mark, colon, rest = bare.partition(":")
        if not colon or mark.strip() not in _REPLY_MARKS:
            return bare
        bare = rest.strip()
