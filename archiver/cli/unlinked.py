"""`archiver unlinked`: mail that fits no customer, in groups, with what could be done about each.

Lists the groups. Decisions in options are `archiver.cli.assigning`'s part, asking a person `archiver.cli.sorting`'s.
"""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

import click

from archiver.cli.groups import look_alikes, show_group, show_look_alikes, show_proposal
from archiver.cli.invocation import Invocation
from archiver.cli.layout import Span
from archiver.cli.secrets import asker
from archiver.cli.wording import count
from archiver.errors import UsageError

if TYPE_CHECKING:
    from archiver.cli.customer_answers import UnlinkedPage

_LIMIT = 20


@click.command("unlinked")
@click.argument("text", required=False, metavar="[TEXT]")
@click.option(
    "--limit", type=click.IntRange(1), default=_LIMIT, show_default=True, metavar="N", help="Show at most N groups."
)
@click.option("--offset", type=click.IntRange(0), default=0, metavar="N", help="Leave out the first N groups.")
@click.option("-i", "--interactive", is_flag=True, help="Ask about one group after the other.")
@click.option(
    "--assign", multiple=True, metavar="NAME=CUSTOMER", help="Give a group's mail to a customer. May be repeated."
)
@click.option(
    "--create",
    multiple=True,
    metavar="NAME[=REFERENCE]",
    help="Make a group a new customer, as proposed; without a reference, the next free number. May be repeated.",
)
@click.option("--dry-run", is_flag=True, help="With --assign and --create: say what would happen, change nothing.")
@click.option("--no-pager", is_flag=True, help="Do not use a pager, however long it is.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(
    invocation: Invocation,
    text: str | None,
    limit: int,
    offset: int,
    interactive: bool,
    assign: tuple[str, ...],
    create: tuple[str, ...],
    dry_run: bool,
    no_pager: bool,
    as_json: bool,
) -> None:
    """List mail that fits no customer, and decide whose it is.

    Grouped by domain, or by address where a domain is a mail provider's; most mail first. TEXT is part of a domain,
    an address or a name. A group that is given to a customer adds its domain (or addresses) to their record, and all
    their mail is linked anew.
    """
    deciding = bool(assign or create)
    if interactive + deciding + as_json > 1 and not (deciding and as_json and not interactive):
        raise UsageError("--interactive excludes --json, --assign and --create", hint="choose one")
    if dry_run and not deciding:
        raise UsageError("--dry-run goes with --assign or --create", hint="without them nothing is changed anyway")
    if interactive:
        if not invocation.person_present:
            raise UsageError("--interactive needs a terminal to ask on", hint="use --assign and --create in scripts")
        from archiver.cli.sorting import sort_out

        sort_out(invocation, text)
        return
    if deciding:
        from archiver.cli.assigning import decide

        decide(invocation, assign=assign, create=create, dry_run=dry_run, as_json=as_json)
        return
    settings = invocation.settings()
    terminal = invocation.terminal
    with (
        terminal.paged(wanted=not (no_pager or as_json)),
        invocation.app.open_archive(settings, ask=asker(invocation)) as archive,
    ):
        page = archive.unlinked(text=text, limit=limit, offset=offset)
        if as_json:
            from archiver.cli.reading_shapes import unlinked

            terminal.json(unlinked(page, look_alikes(archive, page.items), archive, invocation.zone))
            return
        alike = look_alikes(archive, page.items)
        for group in page.items:
            show_group(invocation, archive, group)
            show_look_alikes(invocation, group, alike)
            for proposal in group.proposals[:3]:
                show_proposal(invocation, group, proposal)
            terminal.line()
        _close(invocation, page, text=text, limit=limit, offset=offset)


def _close(invocation: Invocation, page: UnlinkedPage, *, text: str | None, limit: int, offset: int) -> None:
    terminal, shown = invocation.terminal, len(page.items)
    if not page.total:
        nothing = "No unlinked mail is with that domain, address or name."
        terminal.line(nothing if text else "All mail with people outside is linked.")
        return
    words = [*([quote(text)] if text else []), *([f"--limit {limit}"] if limit != _LIMIT else [])]
    again = " ".join(["archiver unlinked", *words])
    which = f"{offset + 1:,} to {offset + shown:,} of " if shown < page.total and shown else ""
    none = "" if shown else f", none shown from number {offset + 1:,} on"
    terminal.line(f"{which}{count(page.total, 'group')}{none}; {count(page.messages, 'message')} unlinked in all.")
    if shown and offset + shown < page.total:
        terminal.line(Span(f"More: {again} --offset {offset + shown}", "faint"))
    terminal.line(Span("One after the other, asking: archiver unlinked -i", "faint"))
