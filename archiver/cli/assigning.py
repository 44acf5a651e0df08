"""Whose unlinked mail is, as options of `archiver unlinked` say it.

Knows how a decision about a group becomes a change of a customer's record, and how that is told. Which mail is linked
then, and what is proposed, is for the application to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from shlex import quote
from typing import TYPE_CHECKING

from msgspec.structs import replace

from archiver.cli.groups import group_named
from archiver.cli.invocation import Invocation
from archiver.cli.layout import Span
from archiver.cli.secrets import asker
from archiver.errors import UsageError
from archiver.model.customer import Contact, Customer, CustomerRecord

if TYPE_CHECKING:
    from archiver.cli.application import OpenArchive
    from archiver.cli.customer_answers import ImportChanges, UnlinkedGroup

_BATCH = 50


def decide(
    invocation: Invocation, *, assign: Sequence[str], create: Sequence[str], dry_run: bool, as_json: bool
) -> None:
    """Do all that the options say, in one transaction; raises UsageError, and nothing is changed then."""
    assignments = [_pair(word, "--assign NAME=CUSTOMER") for word in assign]
    creations = [(name, reference) for name, _, reference in (word.partition("=") for word in create)]
    with invocation.app.change_customers(
        invocation.settings(), ask=asker(invocation), command="unlinked", dry_run=dry_run
    ) as editor:
        changes = editor.import_(_decided(invocation, editor.archive, assignments, creations))
    if as_json:
        from archiver.cli.customer import shapes
        from archiver.cli.shapes import listing

        invocation.terminal.json(
            {
                **listing(len(changes.changes), [shapes.change_alone(c, invocation.zone) for c in changes.changes]),
                "links": shapes.links(changes.links, changes.references),
                "warnings": _warnings(changes),
                "dry_run": dry_run,
            }
        )
    else:
        _tell_all(invocation, changes, dry_run=dry_run)


def _decided(
    invocation: Invocation,
    archive: OpenArchive,
    assignments: Sequence[tuple[str, str]],
    creations: Sequence[tuple[str, str]],
) -> list[Customer]:
    """Return the customers as they will be, each once; raises UsageError for what does not exist, or does already."""
    from archiver.cli.customer.form import next_reference

    changed: dict[str, Customer] = {}
    for name, customer in assignments:
        group, record = _group(archive, name), archive.customer(customer)
        reference = record.customer.reference
        changed[reference] = with_group(changed.get(reference, record.customer), group)
    now, records = invocation.clock(), list(archive.customers())
    for name, reference in creations:
        taken = {one.casefold() for each in records for one in _references(each.customer)}
        if reference.casefold() in taken:
            raise UsageError(
                f"there is a customer {reference} already", hint=f"archiver unlinked --assign {name}={reference}"
            )
        draft = replace(draft_for(_group(archive, name)), reference=reference or next_reference(records))
        changed[draft.reference] = draft
        records.append(CustomerRecord(0, draft, now, now))
    return list(changed.values())


def _references(customer: Customer) -> tuple[str, ...]:
    return (customer.reference, *customer.former_references)


def _warnings(changes: ImportChanges) -> list[str]:
    return list(dict.fromkeys(warning for change in changes.changes for warning in change.warnings))


def _tell_all(invocation: Invocation, changes: ImportChanges, *, dry_run: bool) -> None:
    from archiver.cli.customer.text import tell_fields, tell_links, tell_warnings, titled

    terminal = invocation.terminal
    for change in changes.changes:
        customer = change.after or change.record.customer
        done, would = ("Added", "Would add") if change.before is None else ("Changed", "Would change")
        terminal.wrapped(f"{would if dry_run else done} ", *titled(customer, gap=" "), ".", hanging=2)
        if change.before is not None:
            tell_fields(invocation, change.before, customer)
    tell_links(terminal, changes.links, changes.references, dry_run=dry_run)
    tell_warnings(terminal, _warnings(changes))
    if dry_run:
        terminal.line("Nothing was kept: this was a dry run.")
        return
    for change in changes.changes:
        if change.before is None:
            again = f"archiver customer edit {quote(change.record.customer.reference)}"
            terminal.line("To complete the record: ", Span(f"{again} --name NAME --vat NUMBER", "accent"))


def _pair(word: str, form: str) -> tuple[str, str]:
    name, equals, customer = word.partition("=")
    if not (name and equals and customer):
        raise UsageError("a group and a customer are written with = between them", hint=form)
    return name, customer


def _group(archive: OpenArchive, name: str) -> UnlinkedGroup:
    return group_named(archive.unlinked(text=name, limit=_BATCH).items, name)


def draft_for(group: UnlinkedGroup) -> Customer:
    """Return the new customer that was proposed, else the least that the group says by itself."""
    for proposal in group.proposals:
        if proposal.draft is not None:
            return proposal.draft
    if group.shared:
        named = next((address.name for address in group.addresses if address.name.strip()), group.name)
        return with_group(Customer("", named), group)
    return with_group(Customer("", group.name), group)


def with_group(customer: Customer, group: UnlinkedGroup) -> Customer:
    """Return a customer with a group's domain, or, where that is a provider's, its addresses among the contacts."""
    if not group.shared:
        return replace(customer, domains=tuple(dict.fromkeys((*customer.domains, group.name))))
    contacts = list(customer.contacts)
    known = {email.casefold() for email in customer.emails}
    for correspondent in group.addresses:
        if correspondent.address.casefold() in known:
            continue
        name = correspondent.name.strip()
        same = next((i for i, c in enumerate(contacts) if name and c.name.casefold() == name.casefold()), None)
        if same is None:
            contacts.append(Contact(name=name, emails=(correspondent.address,)))
        else:
            contacts[same] = replace(contacts[same], emails=(*contacts[same].emails, correspondent.address))
    return replace(customer, contacts=tuple(contacts))
