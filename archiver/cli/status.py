"""`archiver status`: whether every message on the servers is accounted for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from archiver.cli.escape import visible
from archiver.cli.invocation import Invocation
from archiver.cli.layout import Span, Style, table
from archiver.cli.secrets import asker
from archiver.cli.shapes import by_account, last_sync
from archiver.cli.wording import count, size
from archiver.errors import IncompleteError
from archiver.model.status import MailboxStatus

if TYPE_CHECKING:
    from archiver.cli.answers import StatusReport

_FIGURES = ("server", "archived", "excluded", "failed", "erased")
_ONLY_IF_ANY = frozenset({"excluded", "erased"})
_SHOWN = 20


@click.command("status")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(invocation: Invocation, as_json: bool) -> int:
    """Say whether every message on the servers is accounted for.

    For each mailbox, as of its last sync: server = archived + excluded + failed + erased. A gap, a failure or a mailbox
    that could not be read makes it incomplete, exit code 4. Never asks for a passphrase; totals need an unlocked
    archive.
    """
    settings = invocation.settings()
    # A monitor must not hang on a prompt, so only a passphrase file or an unlocked session counts here.
    report = invocation.app.status(settings, ask=asker(invocation, prompt=False))
    code = 0 if report.complete else IncompleteError.exit_code
    invocation.terminal.outcome = code
    if as_json:
        from archiver.cli import shapes

        invocation.terminal.json(shapes.status(report, invocation.zone))
    else:
        _show(invocation, report)
    return code


def _show(invocation: Invocation, report: StatusReport) -> None:
    terminal = invocation.terminal
    if report.accounts:
        # Narrow terminals need the room for the names of mailboxes.
        figures = [f for f in _FIGURES if f not in _ONLY_IF_ANY or any(getattr(m, f) for m in report.accounts)]
        rows = [
            row
            for name, mailboxes in by_account(report.accounts).items()
            for row in _account(invocation, name, mailboxes, figures)
        ]
        header = ("", *figures, "complete", "last sync")
        numbers = range(1, len(figures) + 1)
        terminal.lines(table(header, rows, width=terminal.table_width, numbers=numbers))
    else:
        terminal.line("Nothing was collected yet: archiver sync")
    terminal.line()
    if report.messages is not None:
        known = f"{count(report.messages, 'message')} ({size(report.octets or 0)}), {report.indexed or 0:,} indexed"
        terminal.line(known, f", {report.defects:,} with defects" if report.defects else "", ".")
    if report.customers:
        unlinked = f", {count(report.unlinked, 'message')} unlinked" if report.unlinked else ", no mail unlinked"
        terminal.line(f"{count(report.customers, 'customer')}{unlinked}.")
    elif report.messages and report.customers is not None:
        terminal.line(Span("No customers yet: archiver customer add, or archiver unlinked -i proposes them.", "faint"))
    if report.pending:
        terminal.line(
            f"{count(report.pending, 'batch', 'batches')} of new mail waiting to be taken in: ",
            "archiver sync" if report.unlocked else "archiver unlock, then archiver sync",
        )
    if not report.unlocked:
        terminal.line(Span("The archive is locked; totals are shown after archiver unlock.", "faint"))
    _show_failures(invocation, report)
    if report.complete and report.accounts:
        terminal.line(Span("Complete: every message on the servers is accounted for.", "good"))
    elif not report.complete:
        terminal.line(Span("Not complete.", "bad"))


def _show_failures(invocation: Invocation, report: StatusReport) -> None:
    terminal = invocation.terminal
    for mailbox in report.accounts:
        if mailbox.problem:
            place = f"{mailbox.account}/{mailbox.mailbox}" if mailbox.mailbox else mailbox.account
            terminal.line(Span(place, "warn"), f": {mailbox.problem}")
    for failure in report.failures[:_SHOWN]:
        terminal.line(
            Span(f"{failure.account}/{failure.mailbox} uid {failure.uid}", "warn"),
            f": {failure.reason} ({count(failure.attempts, 'try', 'tries')}, the last ",
            invocation.date(failure.last_try),
            ")",
        )
    if len(report.failures) > _SHOWN:
        terminal.line(f"… and {len(report.failures) - _SHOWN:,} more; all of them: archiver status --json")
    for problem in report.problems:
        terminal.line(Span("problem: ", "bad"), problem)


def _account(
    invocation: Invocation, name: str, mailboxes: Sequence[MailboxStatus], figures: Sequence[str]
) -> list[list[Span]]:
    def row(title: str, rows: Sequence[MailboxStatus], style: Style) -> list[Span]:
        complete = all(mailbox.complete for mailbox in rows)
        at = last_sync([mailbox for mailbox in rows if mailbox.mailbox])
        return [
            Span(visible(title), style),
            *(_figure(sum(getattr(m, figure) for m in rows), figure) for figure in figures),
            Span("yes", "good") if complete else Span("NO", "bad"),
            Span(invocation.date(at) if at is not None else "never"),
        ]

    return [row(name, mailboxes, "strong"), *(row(f"  {m.mailbox}", [m], "") for m in mailboxes if m.mailbox)]


def _figure(value: int, name: str) -> Span:
    return Span(f"{value:,}", "bad" if name == "failed" and value else "")
