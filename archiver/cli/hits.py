"""A page of hits as people read it: who, when, what about, and the place that matched; then where to go from here.

Every command that it proposes can be pasted into a shell. Knows nothing of how the page was found.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from archiver.cli.escape import visible
from archiver.cli.invocation import Invocation
from archiver.cli.layout import Span, cells, cut, pad
from archiver.cli.marking import Wanted, marked, wanted
from archiver.cli.wording import ARROWS, arrow, correspondents, count, customers_of, person, subject_of

if TYPE_CHECKING:
    from archiver.cli.answers import SearchItem, SearchPage
    from archiver.cli.application import OpenArchive
    from archiver.cli.asked import Asked

_DATE_COLUMNS = 16
_SNIPPET_LINES = 2
_INDENT = 4
_LOST = 12


def show_page(invocation: Invocation, page: SearchPage, archive: OpenArchive, asked: Asked) -> None:
    """Print the hits of a page."""
    look_for = wanted(asked.typed, page.items, page.ignored)
    plain = not invocation.terminal.can_show(ARROWS)
    for item in page.items:
        _show_hit(invocation, item, archive.short_id(item.summary.blob_id), look_for, plain=plain)


def _show_hit(invocation: Invocation, item: SearchItem, name: str, look_for: Wanted, *, plain: bool) -> None:
    terminal, summary = invocation.terminal, item.summary
    date = pad(invocation.date(summary.at), _DATE_COLUMNS)
    way = f"  {arrow(summary.direction, plain=plain)} "
    whose = visible(customers_of(summary))
    room = terminal.table_width - len(name) - 2 - cells(date) - cells(way) - (cells(whose) + 2 if whose else 0)
    with_whom = marked(cut(visible(correspondents(summary)), room), look_for)
    subject = marked(subject_of(summary), look_for, "strong")
    terminal.line(
        Span(f"{name}  ", "accent"),
        Span(date, "faint"),
        way,
        *with_whom,
        Span(f"  {whose}" if whose else "", "accent"),
    )
    terminal.wrapped(*subject, indent=_INDENT, limit=2)
    label = _place(item)
    if item.snippet.strip() or label:
        spans = highlighted(*_in_sight(item.snippet, item.marks, _snippet_room(terminal.prose, label)))
        terminal.wrapped(Span(label, "faint"), *spans, indent=_INDENT, limit=_SNIPPET_LINES)
    room = terminal.table_width - _INDENT
    files = marked(cut(_files(item, look_for, room), room), look_for, "faint")
    is_seen = any(_is_marked(spans) for spans in (with_whom, subject, files))
    who = [] if is_seen or item.place != "header" else _who(item, look_for, room)
    _notes(invocation, [note for note in (who, files, [Span(cut(_copies(item), room), "faint")]) if _cells(note)])
    if item.others:
        more = f"{item.others:,} more in this conversation: {invocation.program} thread {name}"
        terminal.line(" " * _INDENT, Span(more, "faint"))
    terminal.line()


def _place(item: SearchItem) -> str:
    """Return what stands before a snippet that is not from what the sender wrote."""
    if item.place == "attachment":
        return f"in {visible(item.file)}: " if item.file else "in an attachment: "
    return "quoted: " if item.place == "quoted" else ""


def _files(item: SearchItem, look_for: Wanted, room: int) -> str:
    """Return what came with a message; where that is too much for a line, the files that were looked for come first."""
    names = [visible(name) for name in item.summary.attachments if name]
    if not item.summary.attachments or (item.summary.attachments == (item.file,) and item.file):
        return ""
    told = count(len(item.summary.attachments), "file")
    if sum(cells(name) + 2 for name in names) > room - cells(told):
        names.sort(key=lambda name: not _is_marked(marked(name, look_for)))
    return f"{told}: {', '.join(names)}" if names else told


def _who(item: SearchItem, look_for: Wanted, room: int) -> list[Span]:
    """Return the person that was looked for, where neither the first line nor the subject has named them."""
    summary = item.summary
    for role, people in (("from", summary.from_), ("to", summary.to), ("cc", summary.cc)):
        for each in people:
            if _is_marked(marked(visible(person(each)), look_for)):
                return marked(cut(f"{role} {visible(person(each))}", room), look_for, "faint")
    return []


def _is_marked(spans: Sequence[Span]) -> bool:
    return any(span.style == "hit" for span in spans)


def _cells(spans: Sequence[Span]) -> int:
    return sum(cells(span.text) for span in spans)


def _copies(item: SearchItem) -> str:
    """Return where else the message lies, when it lies in several mailboxes or came several times."""
    where = visible(", ".join(item.summary.mailboxes))
    if item.copies:
        told = f"+{count(len(item.copies), 'copy', 'copies')}"
        return f"{told}: {where}" if where else told
    return f"in {where}" if len(item.summary.mailboxes) > 1 else ""


def _notes(invocation: Invocation, notes: Sequence[Sequence[Span]]) -> None:
    """Print remarks on one line where they fit, else each on its own."""
    terminal = invocation.terminal
    together = [span for note in notes for span in (Span("   "), *note)][1:]
    if terminal.out_is_terminal and _cells(together) <= terminal.table_width - _INDENT:
        notes = [together] if together else []
    for note in notes:
        terminal.line(" " * _INDENT, *note)


def _snippet_room(prose: int | None, label: str) -> int | None:
    """Return the columns of a snippet behind its label, less what lines lose where words are too long for them."""
    return None if prose is None else _SNIPPET_LINES * (prose - _INDENT - 2) - cells(label) - _LOST


def _in_sight(
    snippet: str, marks: Sequence[tuple[int, int]], room: int | None
) -> tuple[str, Sequence[tuple[int, int]]]:
    """Return a snippet with less before its marks where these would be cut off: those that fit, from the first on."""
    if not marks or room is None:
        return snippet, marks
    first = marks[0][0]
    last = max((end for _, end in marks if cells(snippet[first:end]) < room), default=marks[0][1])
    if cells(snippet[:last]) <= room:
        return snippet, marks
    start, end = first, last + room // 6
    while start > 0 and cells(snippet[start - 1 : end]) < room:
        start -= 1
    # From the beginning of a word.
    start = snippet.find(" ", start, first) + 1 or first
    return "…" + snippet[start:], [(begin - start + 1, end - start + 1) for begin, end in marks]


def highlighted(snippet: str, marks: Sequence[tuple[int, int]]) -> list[Span]:
    """Return the snippet as one line with its marks styled; marks that overlap or lie outside are cut to fit."""
    # One character for one: the marks count characters.
    flat = "".join(" " if c.isspace() else c for c in snippet)
    spans: list[Span] = []
    at = 0
    for start, end in sorted(marks):
        start, end = max(start, at), min(end, len(flat))  # noqa: PLW2901
        if start >= end:
            continue
        spans += [Span(flat[at:start]), Span(flat[start:end], "hit")]
        at = end
    return [span for span in [*spans, Span(flat[at:])] if span.text]


def close(invocation: Invocation, page: SearchPage, asked: Asked) -> None:
    """Print how much was found, and what to try next."""
    terminal = invocation.terminal
    if page.unindexed:
        waiting = f"{count(page.unindexed, 'message')} of the archive cannot be found yet"
        terminal.told("careful:", "warn", f"{waiting}: they wait to be indexed; search again in a while")
    if not page.total:
        _nothing(invocation, page, asked)
        return
    shown, first = len(page.items), asked.offset + 1
    told = sum(1 + len(item.copies) + item.others for item in page.items)
    total = count(page.total, "message")
    if not shown:
        terminal.line(f"{total}." if not asked.limit else f"{total} found, none shown from number {first:,} on.")
    elif not page.more and not asked.offset:
        terminal.line(f"{total}." if told == shown else f"{count(shown, 'hit')}, {total}.")
    else:
        span = f"{first:,} to {asked.offset + shown:,}" if shown > 1 else f"{first:,}"
        if asked.threads or told != shown:
            terminal.line(f"{'Hits' if shown > 1 else 'Hit'} {span}; {total} in all.")
        else:
            terminal.line(f"{span} of {total}." if shown > 1 or first == 1 else f"Number {span} of {total}.")
    if page.more and asked.limit:
        again = asked.command(invocation.program, offset=asked.offset + shown)
        terminal.line(Span(f"More: {again}", "faint"))
        if page.ignored:
            words = " ".join(page.ignored)
            told_so = f"Left out, as they stand nearly everywhere: {words}. In quotes they count."
            terminal.wrapped(Span(told_so, "faint"))
    _did_you_mean(invocation, page, asked)


def _did_you_mean(invocation: Invocation, page: SearchPage, asked: Asked) -> None:
    if page.suggestion:
        better = asked.with_query(page.suggestion).command(invocation.program)
        told = "Did you mean: "
        if _fits(invocation, told + better):
            invocation.terminal.line(told, Span(better, "strong"))
        else:
            invocation.terminal.line(told.rstrip())
            invocation.terminal.line(" " * _INDENT, Span(better, "strong"))


def _nothing(invocation: Invocation, page: SearchPage, asked: Asked) -> None:
    """Say what was looked for, and how to look for it less strictly."""
    terminal = invocation.terminal
    if asked.everything:
        terminal.line("The archive is empty.")
        return
    looked_for = f" for {asked.typed}" if asked.typed.strip() else ""
    limits = f" with {' '.join(asked.filters)}" if asked.filters else ""
    terminal.wrapped(f"Nothing found{looked_for}{limits}.")
    _did_you_mean(invocation, page, asked)
    ways = list(asked.looser(page.ignored))
    if ways:
        # The commands stand last: one that is longer than the line can still be copied whole.
        columns = max(cells(why) for _other, why in ways)
        lines = [(f"  {pad(why, columns)}  ", other.command(invocation.program)) for other, why in ways]
        terminal.line("Or try")
        apart = not all(_fits(invocation, why + command) for why, command in lines)
        for why, command in lines:
            if apart:
                terminal.line(Span(why.rstrip() + ":", "faint"))
            terminal.line(Span(" " * _INDENT if apart else why, "faint"), command)


def _fits(invocation: Invocation, text: str) -> bool:
    """Tell whether a text fits on a line; into a pipe all do."""
    return not invocation.terminal.out_is_terminal or cells(text) <= invocation.terminal.width
