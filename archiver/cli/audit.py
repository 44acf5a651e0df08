"""`archiver audit`: who looked at what, whether that record is whole, and its checkpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from archiver.cli.escape import visible
from archiver.cli.invocation import Invocation
from archiver.cli.layout import Span, cells, pad, wrap_spans
from archiver.cli.secrets import asker
from archiver.cli.wording import count
from archiver.errors import IncompleteError, IntegrityError, UsageError

if TYPE_CHECKING:
    from archiver.cli.audit_answers import AuditEntry, AuditPage, AuditReport
    from archiver.cli.shapes import Json
    from archiver.cli.terminal import Terminal
    from archiver.model.audit import AuditEvent

_IDS_SHOWN = 4
_NAME_COLUMNS = 24
_ABOUT_COLUMNS = 24
"""What a record is about is not pressed into fewer columns than this."""

_NOTED = frozenset({"key-add", "key-remove", "sync", "import"})
"""Actions whose note is the name of something, or how a run ended; a checkpoint's is for `audit checkpoint`."""


def _actions(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    from archiver.model.audit import ACTIONS

    return [name for name in ACTIONS if name.startswith(incomplete)]


@click.group("audit", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Read and check the audit trail, and make checkpoints of it."""


@command.command("list")
@click.option("--since", metavar="DATE", help="Only from this day on.")
@click.option("--until", metavar="DATE", help="Only up to and including this day.")
@click.option("--who", metavar="USER", help="Only what this user did.")
@click.option(
    "--action",
    metavar="NAME",
    shell_complete=_actions,
    help="Only this action: search, show, customer-list, key-add, …",
)
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
        _tell(invocation, page, offset=offset)
    if page.unreadable:
        terminal.problem(
            f"{count(page.unreadable, 'record')} cannot be read", hint="archiver audit verify says what is wrong"
        )
    return code


@command.command("verify")
@click.option(
    "--anchor",
    "anchors",
    multiple=True,
    metavar="FILE|LINE|mailbox",
    help="Compare with checkpoints kept elsewhere: a file of them, one line, or the mailbox that is configured.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def verify(invocation: Invocation, anchors: tuple[str, ...], as_json: bool) -> int:
    """Check that no record was changed, left out or put in.

    Without --anchor the trail is compared with itself. That its end was cut off, or that the whole archive was put back
    to an older copy, only a checkpoint shows that was kept elsewhere. Damage makes the exit code 30.
    """
    if len(anchors) > 1:
        raise UsageError("one --anchor at a time", hint="put the lines into one file, and name that")
    anchor = anchors[0] if anchors else None
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


def _tell(invocation: Invocation, page: AuditPage, *, offset: int) -> None:
    terminal, shown = invocation.terminal, len(page.items)
    people = [visible(_acted(entry.event)) for entry in page.items]
    actions = [visible(entry.event.action) for entry in page.items]
    width = min(_NAME_COLUMNS, max(map(cells, people), default=0))
    wide = max(map(cells, actions), default=0)
    for entry, who, action in zip(page.items, people, actions, strict=True):
        head = [
            Span(f"{invocation.date(entry.at):<16}  ", "faint"),
            Span(f"{pad(who, width)}  "),
            Span(pad(action, wide), "strong"),
        ]
        _line(terminal, head, _about(entry.event))
    if not page.total:
        terminal.line("Nothing is recorded that fits.")
    elif not shown:
        terminal.note(f"{count(page.total, 'record')}, none shown from number {offset + 1:,} on.")
    elif shown < page.total:
        of = f"{offset + 1:,} to {offset + shown:,} of {count(page.total, 'record')}"
        older = f"; --offset {offset + shown} shows older ones" if offset + shown < page.total else ""
        terminal.note(f"{of}{older}")


def _line(terminal: Terminal, head: list[Span], about: list[Span]) -> None:
    """Print one record; on a terminal what it is about stays in its column, or goes below where that is narrow."""
    if not about:
        terminal.line(*head[:-1], Span(head[-1].text.rstrip(), head[-1].style))
        return
    if terminal.prose is None:
        terminal.line(*head, Span("  "), *about)
        return
    column = sum(cells(span.text) for span in head) + 2
    if terminal.prose - column < _ABOUT_COLUMNS:
        terminal.line(*head)
        terminal.wrapped(*about, indent=18)
        return
    first, *rest = wrap_spans(about, terminal.prose - column)
    terminal.line(*head, Span("  "), *first)
    for line in rest:
        terminal.line(Span(" " * column), *line)


def _acted(event: AuditEvent) -> str:
    if event.claimed and event.claimed == event.who:  # nobody but the environment says so
        return f"{event.user}, says {event.claimed}"
    acted = event.who if event.who == event.user else f"{event.who} as {event.user}"
    return f"{acted}, says {event.claimed}" if event.claimed else acted


def _about(event: AuditEvent) -> list[Span]:
    about = [*event.customers[:_IDS_SHOWN], *(each.hex()[:8] for each in event.messages[:_IDS_SHOWN])]
    more = max(0, len(event.customers) - _IDS_SHOWN) + max(0, len(event.messages) - _IDS_SHOWN)
    numbers = [f"{name} {number:,}" for name, number in event.numbers.items()]
    noted = event.note if event.note is not None and event.action in _NOTED else ""
    told = [event.form or "", noted or "", " ".join(about) + (f" +{more:,}" if more else ""), ", ".join(numbers)]
    if event.query is not None:
        told.append(f"query {event.query.hex()[:8]}")
    if event.tail:
        told.append("(after a broken end)")
    words = "  ".join(visible(each) for each in told if each)
    spans = [Span(words)] if words else []
    if event.reason:
        spans.append(Span(f"{'  ' if words else ''}({visible(event.reason)})", "accent"))
    return spans


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
        "problems": [{"what": each.what, "message": each.message} for each in report.problems],
        "remarks": [{"what": each.what, "message": each.message} for each in report.remarks],
    }
