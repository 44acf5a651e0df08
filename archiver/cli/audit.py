"""`archiver audit`: who looked at what, whether that record is whole, and its checkpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from archiver.cli.escape import visible
from archiver.cli.invocation import Invocation
from archiver.cli.layout import Span
from archiver.cli.secrets import asker
from archiver.cli.wording import count
from archiver.errors import IncompleteError, IntegrityError

if TYPE_CHECKING:
    from archiver.cli.audit_answers import AuditEntry, AuditReport
    from archiver.cli.shapes import Json

_IDS_SHOWN = 4


@click.group("audit", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Read and check the audit trail, and make checkpoints of it."""


@command.command("list")
@click.option("--since", metavar="DATE", help="Only from this day on.")
@click.option("--until", metavar="DATE", help="Only up to and including this day.")
@click.option("--who", metavar="USER", help="Only what this user did.")
@click.option("--action", metavar="NAME", help="Only this action: search, show, export, customer-list, ...")
@click.option("--message", metavar="ID", help="Only what concerns this message.")
@click.option("--customer", metavar="REFERENCE", help="Only what names this customer.")
@click.option("--query", metavar="TEXT", help="Only searches for exactly this; the trail has its digest only.")
@click.option("--limit", type=click.IntRange(0), default=50, show_default=True, metavar="N", help="At most N records.")
@click.option("--offset", type=click.IntRange(0), default=0, metavar="N", help="Leave out the newest N.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def list_(
    invocation: Invocation,
    since: str | None,
    until: str | None,
    who: str | None,
    action: str | None,
    message: str | None,
    customer: str | None,
    query: str | None,
    limit: int,
    offset: int,
    as_json: bool,
) -> int:
    """List who did what, newest first.

    Listing is recorded too. Queries are not in the trail: --query finds those that were exactly the same.
    """
    page = invocation.app.audit_list(
        invocation.settings(),
        ask=asker(invocation),
        since=since,
        until=until,
        who=who,
        action=action,
        message=message,
        customer=customer,
        query=query,
        limit=limit,
        offset=offset,
    )
    terminal = invocation.terminal
    code = IntegrityError.exit_code if page.unreadable else 0
    terminal.outcome = code
    if as_json:
        terminal.json({"total": page.total, "items": [_shape(invocation, each) for each in page.items]})
    else:
        for entry in page.items:
            _line(invocation, entry)
        if page.total > offset + len(page.items):
            terminal.note(f"{page.total:,} in all; --limit and --offset show others")
    if page.unreadable:
        terminal.problem(
            f"{count(page.unreadable, 'record')} cannot be read", hint="archiver audit verify says what is wrong"
        )
    return code


@command.command("verify")
@click.option(
    "--anchor",
    metavar="FILE|LINE|mailbox",
    help="Compare with checkpoints kept elsewhere: a file of them, one line, or the mailbox that is configured.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def verify(invocation: Invocation, anchor: str | None, as_json: bool) -> int:
    """Check that no record was changed, left out or put in.

    Without --anchor the trail is compared with itself. That its end was cut off, or that the whole archive was put back
    to an older copy, only a checkpoint shows that was kept elsewhere. Damage makes the exit code 30.
    """
    report = invocation.app.audit_verify(invocation.settings(), ask=asker(invocation), anchor=anchor)
    terminal = invocation.terminal
    code = IntegrityError.exit_code if report.problems else 0
    terminal.outcome = code
    if as_json:
        terminal.json(_verified(invocation, report))
        return code
    compared = f", {count(report.anchors, 'anchor')} compared" if report.anchors else ""
    span = ""
    if report.first is not None and report.last is not None:
        span = f", {invocation.date(report.first)} to {invocation.date(report.last)}"
    told = f"{count(report.records, 'record')}{span}, {count(report.checkpoints, 'checkpoint')}{compared}."
    terminal.line(told)
    for remark in report.remarks:
        terminal.line(Span(visible(remark.what), "faint"), f": {visible(remark.message)}")
    for problem in report.problems:
        terminal.line(Span(visible(problem.what), "bad"), f": {visible(problem.message)}")
    if report.problems:
        terminal.line(Span(f"{count(len(report.problems), 'problem')} found.", "bad"))
        terminal.hint("keep the files as they are, and compare them with a backup")
        return code
    terminal.line(Span("The trail is whole.", "good"))
    if not report.anchors:
        terminal.hint(
            "only --anchor shows that its end was not cut off: archiver audit checkpoint makes a line to keep"
        )
    return code


@command.command("checkpoint")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def checkpoint(invocation: Invocation, as_json: bool) -> int:
    """Make a signed checkpoint now, and bring it to the anchors.

    The line says how many records there are and which is the last. Kept where nobody of this machine can change it, it
    shows later that nothing was taken away: archiver audit verify --anchor LINE.
    """
    made = invocation.app.audit_checkpoint(invocation.settings(), ask=asker(invocation))
    terminal = invocation.terminal
    code = IncompleteError.exit_code if made.problems else 0
    terminal.outcome = code
    if as_json:
        terminal.json(
            {
                "checkpoint": made.line,
                "public_key": made.public_key,
                "anchored": list(made.anchored),
                "problems": list(made.problems),
            }
        )
    else:
        terminal.line(made.line)
        terminal.note(Span(f"Public key of this epoch: {made.public_key}", "faint"))
        if made.anchored:
            terminal.note(Span(f"Anchored: {', '.join(map(visible, made.anchored))}", "faint"))
    for problem in made.problems:
        terminal.problem(problem, hint="the next `archiver sync` tries again")
    return code


def _line(invocation: Invocation, entry: AuditEntry) -> None:
    event, terminal = entry.event, invocation.terminal
    acted = event.who if event.who == event.user else f"{event.who} as {event.user}"
    if event.claimed and event.claimed != event.who:
        acted += f", says {event.claimed}"
    about = [*event.customers[:_IDS_SHOWN], *(each.hex()[:8] for each in event.messages[:_IDS_SHOWN])]
    more = max(0, len(event.customers) - _IDS_SHOWN) + max(0, len(event.messages) - _IDS_SHOWN)
    numbers = [f"{name} {number:,}" for name, number in event.numbers.items()]
    told = [event.form or "", " ".join(about) + (f" +{more:,}" if more else ""), ", ".join(numbers)]
    if event.query is not None:
        told.append(f"query {event.query.hex()[:8]}")
    spans = [
        Span(f"{invocation.date(entry.at):<16}  ", "faint"),
        Span(f"{visible(acted)}  "),
        Span(visible(event.action), "strong"),
        Span("  ".join(["", *(visible(each) for each in told if each)])),
    ]
    if event.reason:
        spans.append(Span(f"  ({visible(event.reason)})", "accent"))
    terminal.wrapped(*spans, hanging=18)


def _shape(invocation: Invocation, entry: AuditEntry) -> Json:
    event = entry.event
    return {
        "number": entry.sequence,
        "epoch": entry.epoch,
        "at": entry.at.astimezone(invocation.zone).isoformat(),
        "action": event.action,
        "who": event.who,
        "user": event.user,
        "claimed": event.claimed,
        "messages": [each.hex() for each in event.messages],
        "customers": list(event.customers),
        "query": None if event.query is None else event.query.hex(),
        "reason": event.reason,
        "numbers": dict(event.numbers),
        "form": event.form,
        "note": event.note,
        "tail": event.tail,
    }


def _verified(invocation: Invocation, report: AuditReport) -> Json:
    first, last = (
        None if at is None else at.astimezone(invocation.zone).isoformat() for at in (report.first, report.last)
    )
    return {
        "records": report.records,
        "checkpoints": report.checkpoints,
        "anchors": report.anchors,
        "first": first,
        "last": last,
        "sound": not report.problems,
        "problems": [{"what": each.what, "problem": each.message} for each in report.problems],
        "remarks": [{"what": each.what, "remark": each.message} for each in report.remarks],
    }
