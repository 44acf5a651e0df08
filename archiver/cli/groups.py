"""A group of unlinked mail on the terminal: who writes, what could be done about it, and whom it merely looks like.

Used by the list of groups, by the options that decide about them and by asking a person. Changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from shlex import quote
from typing import TYPE_CHECKING

from archiver.cli.escape import visible
from archiver.cli.invocation import Invocation
from archiver.cli.layout import Span, cells, cut
from archiver.cli.wording import subject_of
from archiver.errors import UsageError

if TYPE_CHECKING:
    from archiver.cli.application import OpenArchive
    from archiver.cli.customer_answers import Proposal, UnlinkedGroup
    from archiver.model.customer import CustomerRecord

    LookAlikes = Mapping[str, Sequence[tuple[str, CustomerRecord]]]

_BECAUSE = {
    "domain-like": "the domains are alike",
    "name-like": "the names are alike",
    "thread": "others of the same conversations are theirs",
}


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
    from archiver.core.linking.domains import is_shared
    from archiver.core.linking.lookalikes import resembles

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


def show_proposal(invocation: Invocation, group: UnlinkedGroup, proposal: Proposal) -> None:
    """Print one line: what is proposed, why, and the command that does it."""
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


def group_named(groups: Sequence[UnlinkedGroup], name: str) -> UnlinkedGroup:
    """Return the group of exactly this name, without case; raises UsageError when there is none."""
    for group in groups:
        if group.name.casefold() == name.casefold():
            return group
    raise UsageError(
        "there is no unlinked mail of a group that is called so", hint="archiver unlinked lists the names of the groups"
    )
