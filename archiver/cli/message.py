"""One message laid out for people: who, when and what; its text; what came with it; where it stands.

Knows how a message is told on a terminal and into a pipe. Deliberately reads nothing but what the open archive gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from archiver.cli.conversation import placed
from archiver.cli.escape import visible
from archiver.cli.invocation import Invocation
from archiver.cli.kinds import defect_sentence, is_program, is_readable, kind_in_words
from archiver.cli.layout import Span, Style, pad, table, wrap_spans
from archiver.cli.prose import print_text, text_lines
from archiver.cli.wording import ago, bare_person, count, long_date, ordinal, people, size
from archiver.model.catalogue import Details, Summary
from archiver.model.message import Defect, Part, PartKind

if TYPE_CHECKING:
    from archiver.cli.application import OpenArchive
    from archiver.cli.terminal import Terminal

_LABEL_COLUMNS = 10
_STRUCTURE = frozenset({PartKind.TEXT, PartKind.HTML, PartKind.INLINE, PartKind.REPORT})


def show(invocation: Invocation, archive: OpenArchive, row: int, *, quoted: bool, links: bool) -> None:
    """Print a message."""
    terminal, details = invocation.terminal, archive.details(row)
    name = archive.short_id(details.summary.blob_id)
    _header(invocation, archive, details, name)
    terminal.line()
    passages = archive.passages(row)
    print_text(
        terminal,
        text_lines(passages, quoted=quoted, width=terminal.prose, more=f": archiver show {name} --quoted"),
    )
    if not passages:
        terminal.line(Span("(no text)", "faint"))
    if links:
        _links(terminal, archive, row)
    _files(terminal, details.parts, details.defects, name)
    _defects(terminal, details)
    if any(part.kind is PartKind.HTML for part in details.parts):
        terminal.line()
        terminal.line(Span(f"As it was laid out: archiver show {name} --html", "faint"))


def field(terminal: Terminal, label: str, text: str, *, style: Style = "", more: str = "") -> None:
    """Print a label and what stands behind it, wrapped on a terminal; `more` is said faintly."""
    safe = [Span(visible(" ".join(text.split())), style), Span(more, "faint")]
    lines = wrap_spans(safe, terminal.prose - _LABEL_COLUMNS) if terminal.prose else [safe]
    for number, line in enumerate(lines):
        terminal.line(Span(pad("" if number else label, _LABEL_COLUMNS), "faint"), *line)


def _header(invocation: Invocation, archive: OpenArchive, details: Details, name: str) -> None:
    terminal, summary = invocation.terminal, details.summary
    field(terminal, "subject", summary.subject.strip() or "(none)", style="strong")
    for label, addresses in (
        ("from", summary.from_),
        ("to", summary.to),
        ("cc", summary.cc),
        ("bcc", details.bcc),
        ("reply to", details.reply_to if details.reply_to != summary.from_ else ()),
    ):
        if addresses:
            field(terminal, label, people(addresses))
    written = summary.sent_at or details.received_at
    if written is None:
        field(terminal, "date", "(none given)")
    else:
        field(terminal, "date", long_date(written, zone=invocation.zone), more=_age(invocation, written))
    field(terminal, "kept as", f"{name} ({summary.direction.value}, {size(details.octets)})")
    if summary.mailboxes:
        field(terminal, "seen in", ", ".join(summary.mailboxes))
    _customers(terminal, archive, summary, name)
    _conversation(invocation, archive, summary, name)


def _age(invocation: Invocation, at: datetime) -> str:
    # Into a pipe nothing is said that would be another thing tomorrow.
    return f", {ago(at, now=invocation.clock(), zone=invocation.zone)}" if invocation.terminal.out_is_terminal else ""


def _customers(terminal: Terminal, archive: OpenArchive, summary: Summary, name: str) -> None:
    """Print whose message it is and by which rule, and apart from that whose it might be."""
    if not (summary.customers or summary.candidates):
        return
    from archiver.cli.reasons import RULES, conversation_candidates
    from archiver.model.link import Rule

    explanation = archive.why(summary.row)
    verdict = explanation.verdict
    rules = {link.customer: link.rule for link in verdict.links}
    candidates = verdict.candidates if verdict.links else conversation_candidates(verdict)
    more = f"; why: archiver why {name}"
    for label, customers in (("customer", verdict.linked), ("might be", candidates)):
        for one in customers:
            customer, rule = explanation.customers[one].customer, RULES[rules.get(one, Rule.THREAD)]
            field(terminal, label, f"{customer.reference} {customer.name} ({rule})", more=more)
            more = ""


def _conversation(invocation: Invocation, archive: OpenArchive, summary: Summary, name: str) -> None:
    """Print which message of its conversation this is, the answer to it if there is one, and its copies."""
    terminal = invocation.terminal
    place = placed(archive.thread(summary.row), summary)
    if place.copies:
        kept = [f"{archive.short_id(one.blob_id)} ({', '.join(one.mailboxes) or 'no mailbox'})" for one in place.copies]
        field(terminal, "copies", ", ".join(kept))
    if place.of < 2:
        return
    field(
        terminal,
        "thread",
        f"{ordinal(place.position)} of {count(place.of, 'message')}",
        more=f": archiver thread {name}",
    )
    later = place.answer or place.newest
    if later is not None:
        what = "answered" if place.answer is not None else "followed"
        who = bare_person(later.from_[0]) if later.from_ else "somebody not named"
        field(
            terminal,
            what,
            f"{invocation.date(later.at)} by {who}",
            more=f": archiver show {archive.short_id(later.blob_id)}",
        )


def _links(terminal: Terminal, archive: OpenArchive, row: int) -> None:
    found = archive.links(row)
    terminal.line()
    terminal.line(Span("links" if found else "No links in the HTML.", "faint"))
    for link in found:
        terminal.wrapped(Span(link.text or "(an image)"), indent=2, hanging=2, limit=2)
        terminal.line("    ", Span(link.url, "accent"))


def _files(terminal: Terminal, parts: Sequence[Part], defects: Sequence[Defect], name: str) -> None:
    """List what came with the message, and how to have it; images that stand within the text are only counted."""
    files = [part for part in parts if part.kind not in _STRUCTURE]
    images = [part for part in parts if part.kind is PartKind.INLINE]
    if not (files or images):
        return
    terminal.line()
    if files:
        terminal.line(Span("attachments", "faint"))
        rows = [
            [
                Span(f"  {part.path}", "accent"),
                Span(visible(part.filename) if part.filename else "(no name)", "" if part.filename else "faint"),
                Span(kind_in_words(part, defects), "warn" if is_program(part) else "faint"),
                Span(size(part.size)),
            ]
            for part in files
        ]
        terminal.lines(table(("", "", "", ""), rows, width=terminal.table_width, numbers=(3,)))
        first = files[0].path
        _hint(terminal, "save one", f"archiver show {name} --part {first} --output .")
        if len(files) > 1:
            _hint(terminal, "save all", f"archiver show {name} --all-parts --output .")
        readable = next((part for part in files if is_readable(part)), None)
        if readable is not None:
            _hint(terminal, "read one", f"archiver show {name} --part {readable.path} --text")
    if images:
        terminal.line(Span(f"{count(len(images), 'image')} within the text: archiver show {name} --html", "faint"))


def _hint(terminal: Terminal, what: str, how: str) -> None:
    terminal.line(Span(f"  {what}: {how}", "faint"))


def _defects(terminal: Terminal, details: Details) -> None:
    if not details.defects:
        return
    terminal.line()
    terminal.line(Span("defects", "warn"), " (the message is kept as it came; --raw shows it)")
    for defect in details.defects:
        terminal.wrapped(Span(defect_sentence(defect, details.parts)), indent=2, hanging=2)
