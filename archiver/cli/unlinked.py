"""`archiver unlinked`: mail that fits no customer, in groups, with what could be done about each.

Lists the groups. Decisions in options are `archiver.cli.assigning`'s part, asking a person `archiver.cli.sorting`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from shlex import quote
from typing import TYPE_CHECKING

import click

from archiver.cli.escape import visible
from archiver.cli.invocation import Invocation
from archiver.cli.layout import Span, cells, cut
from archiver.cli.secrets import asker
from archiver.cli.wording import count, subject_of
from archiver.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from archiver.cli.application import OpenArchive, Proposal, UnlinkedGroup, UnlinkedPage
    from archiver.model.customer import CustomerRecord

    LookAlikes = Mapping[str, Sequence[tuple[str, CustomerRecord]]]

_LIMIT = 20
_BECAUSE = {
    "domain-like": "the domains are alike",
    "name-like": "the names are alike",
    "thread": "others of the same conversations are theirs",
}


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
                _show_proposal(invocation, group, proposal)
            terminal.line()
        _close(invocation, page, text=text, limit=limit, offset=offset)


def show_group(invocation: Invocation, archive: OpenArchive, group: UnlinkedGroup) -> None:
    """Print whose mail it is, how much there is each way, and the newest subject."""
    terminal = invocation.terminal
    ways = [(group.incoming, "in"), (group.outgoing, "out"), (group.other, "other")]
    figures = "  " + ", ".join(f"{number:,} {way}" for number, way in ways if number or way != "other")
    figures += ", automatic" if group.automatic else ""
    terminal.line(
        Span(cut(visible(group.name), terminal.table_width - cells(figures)), "strong"), Span(figures, "faint")
    )
    people = addresses_of(group)
    if people:
        terminal.line("    ", cut(people, terminal.table_width - 4))
    newest = f"{archive.short_id(group.newest.blob_id)}  {invocation.date(group.newest.at)}  "
    room = terminal.table_width - 4 - cells(newest)
    terminal.line("    ", Span(newest, "faint"), cut(subject_of(group.newest), room))


def look_alikes(archive: OpenArchive, groups: Sequence[UnlinkedGroup]) -> LookAlikes:
    """Return, by group, customers and the domain of theirs that it looks like: a slip of the pen, or a fraud.

    Those that are proposed for the group are left out.
    """
    from archiver.core.domains import is_shared
    from archiver.core.lookalikes import resembles

    domains: list[tuple[str, CustomerRecord]] = []
    if any(not group.shared for group in groups):
        for record in archive.customers():
            customer = record.customer
            theirs = dict.fromkeys((*customer.domains, *(email.rpartition("@")[2] for email in customer.emails)))
            domains += [(domain, record) for domain in theirs if domain and not is_shared(domain)]
    found: dict[str, list[tuple[str, CustomerRecord]]] = {}
    for group in groups:
        proposed = {proposal.record.id for proposal in group.proposals if proposal.record is not None}
        if not group.shared:
            found[group.name] = [
                (domain, record)
                for domain, record in domains
                if record.id not in proposed and resembles(group.name, domain)
            ]
    return found


def show_look_alikes(invocation: Invocation, group: UnlinkedGroup, alike: LookAlikes) -> None:
    """Warn of a group whose name looks like a customer's domain."""
    for domain, record in alike.get(group.name, ())[:2]:
        customer = record.customer
        told = f"careful: this looks like {domain} of {customer.reference} {customer.name}, but is another domain"
        invocation.terminal.wrapped(Span(told, "warn"), indent=4, hanging=2)


def addresses_of(group: UnlinkedGroup, *, most: int = 3) -> str:
    """Return who writes from there, those with most mail first, without repeating a group's own name."""
    told = [
        visible(f"{address.name} <{address.address}>" if address.name.strip() else address.address)
        for address in group.addresses
        if address.name.strip() or address.address != group.name
    ]
    more = f", +{len(told) - most}" if len(told) > most else ""
    return ", ".join(told[:most]) + more


def reason_of(proposal: Proposal) -> str:
    """Return why a customer is proposed; "" for a new one."""
    return _BECAUSE.get(proposal.because, "")


def _show_proposal(invocation: Invocation, group: UnlinkedGroup, proposal: Proposal) -> None:
    terminal = invocation.terminal
    if proposal.record is not None:
        customer = proposal.record.customer
        does = f"archiver unlinked --assign {quote(f'{group.name}={customer.reference}')}"
        because = f" ({reason_of(proposal)})" if reason_of(proposal) else ""
        told = f"{customer.reference} {customer.name}{because}"
    elif proposal.draft is not None:
        does = f"archiver unlinked --create {quote(group.name)}"
        told = f"new: {proposal.draft.name}"
    else:
        return
    # On one line where there is room for both, else the command below.
    room = terminal.table_width - 8 - cells(does)
    if cells(visible(told)) <= room:
        terminal.line("    ", Span(visible(told), "accent"), Span(f"    {does}"))
    else:
        terminal.wrapped(Span(told, "accent"), indent=4, hanging=2)
        terminal.line("      ", does)


def _close(invocation: Invocation, page: UnlinkedPage, *, text: str | None, limit: int, offset: int) -> None:
    terminal, shown = invocation.terminal, len(page.items)
    if not page.total:
        terminal.line("No mail of this kind is unlinked." if text else "All mail with people outside is linked.")
        return
    words = [*([quote(text)] if text else []), *([f"--limit {limit}"] if limit != _LIMIT else [])]
    again = " ".join(["archiver unlinked", *words])
    which = f"{offset + 1:,} to {offset + shown:,} of " if shown < page.total and shown else ""
    none = "" if shown else f", none shown from number {offset + 1:,} on"
    terminal.line(f"{which}{count(page.total, 'group')}{none}; {count(page.messages, 'message')} unlinked in all.")
    if shown and offset + shown < page.total:
        terminal.line(Span(f"More: {again} --offset {offset + shown}", "faint"))
    terminal.line(Span("One after the other, asking: archiver unlinked -i", "faint"))


def group_named(groups: Sequence[UnlinkedGroup], name: str) -> UnlinkedGroup:
    """Return the group of exactly this name, without case; raises UsageError when there is none."""
    for group in groups:
        if group.name.casefold() == name.casefold():
            return group
    raise UsageError(
        "there is no unlinked mail of a group that is called so", hint="archiver unlinked lists the names of the groups"
    )
