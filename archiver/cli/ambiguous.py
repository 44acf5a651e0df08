"""`archiver ambiguous`: messages that several customers fit equally, each with the commands that decide."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

import click

from archiver.cli.escape import visible
from archiver.cli.invocation import Invocation
from archiver.cli.layout import Span, cells, cut, pad
from archiver.cli.secrets import asker
from archiver.cli.wording import ARROWS, arrow, correspondents, count, named, names_of, subject_of
from archiver.model.catalogue import Summary

if TYPE_CHECKING:
    from collections.abc import Mapping

_LIMIT = 20
_DATE_COLUMNS = 16


@click.command("ambiguous")
@click.option(
    "--limit", type=click.IntRange(1), default=_LIMIT, show_default=True, metavar="N", help="Show at most N messages."
)
@click.option("--offset", type=click.IntRange(0), default=0, metavar="N", help="Leave out the first N messages.")
@click.option("--no-pager", is_flag=True, help="Do not use a pager, however long it is.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(invocation: Invocation, limit: int, offset: int, no_pager: bool, as_json: bool) -> None:
    """List messages that fit several customers equally.

    Newest first, with the customers that each might belong to and the commands that decide. Nothing is guessed:
    they belong to nobody until somebody decides.
    """
    settings = invocation.settings()
    terminal = invocation.terminal
    with (
        terminal.paged(wanted=not (no_pager or as_json)),
        invocation.app.open_archive(settings, ask=asker(invocation)) as archive,
    ):
        page = archive.ambiguous(limit=limit, offset=offset)
        if as_json:
            from archiver.cli.reading_shapes import with_snippet
            from archiver.cli.shapes import listing

            items = [with_snippet(summary, archive, invocation.zone) for summary in page.items]
            terminal.json(listing(page.total, items))
            return
        names = names_of(archive.customers()) if page.items else {}
        for summary in page.items:
            _show(invocation, summary, archive.short_id(summary.blob_id), names)
        shown = len(page.items)
        if not page.total:
            terminal.line("No message waits for a decision.")
        elif not shown:
            terminal.line(f"{count(page.total, 'message')} to decide about, none shown from number {offset + 1:,} on.")
        elif shown == page.total:
            terminal.line(f"{count(page.total, 'message')} to decide about; archiver why ID explains.")
        else:
            which = f"{offset + 1:,} to {offset + shown:,} of "
            terminal.line(f"{which}{count(page.total, 'message')} to decide about; archiver why ID explains.")
            if offset + shown < page.total:
                more = f" --limit {limit}" if limit != _LIMIT else ""
                terminal.line(Span(f"More: archiver ambiguous{more} --offset {offset + shown}", "faint"))


def _show(invocation: Invocation, summary: Summary, name: str, names: Mapping[str, str]) -> None:
    terminal = invocation.terminal
    mark = arrow(summary.direction, plain=not terminal.can_show(ARROWS))
    head = [
        Span(f"{name}  ", "accent"),
        Span(pad(invocation.date(summary.at), _DATE_COLUMNS), "faint"),
        Span(f"  {mark} "),
    ]
    room = terminal.table_width - sum(cells(span.text) for span in head)
    terminal.line(*head, cut(visible(correspondents(summary)), room))
    terminal.wrapped(Span(subject_of(summary), "strong"), indent=4, limit=2)
    if summary.customers:
        terminal.line("    linked to ", ", ".join(named(reference, names) for reference in summary.customers))
    commands = [f"archiver link {name} {quote(reference)}" for reference in summary.candidates]
    columns = terminal.table_width - 6 - max(map(cells, commands), default=0)
    whose = [cut(visible(named(reference, names)), columns) for reference in summary.candidates]
    widest = max(map(cells, whose), default=0)
    for customer, decides in zip(whose, commands, strict=True):
        terminal.line("    ", Span(pad(customer, widest), "warn"), "  ", decides)
    terminal.line()
