"""`archiver customer edit`: a customer's record, changed option by option.

There is deliberately no way through a text editor: it would leave the record in a temporary file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import click
from msgspec.structs import replace

from archiver.cli.customer import options
from archiver.cli.customer.text import tell_change
from archiver.cli.invocation import Invocation
from archiver.cli.secrets import asker
from archiver.errors import UsageError
from archiver.model.customer import Contact, Customer


def _repeatable(name: str, help_: str, *, metavar: str = "TEXT") -> Callable[[Any], Any]:
    return click.option(name, multiple=True, metavar=metavar, help=help_)


@click.command("edit")
@click.argument("text", metavar="CUSTOMER")
@click.option("--reference", metavar="NEW", help="Your own number for it.")
@click.option("--name", metavar="TEXT", help="Name of the company.")
@options.company
@_repeatable("--add-domain", "A domain that only they use; repeatable.", metavar="D")
@_repeatable("--remove-domain", "A domain that is theirs no longer; repeatable.", metavar="D")
@_repeatable("--add-licence", "A licence number; repeatable.", metavar="L")
@_repeatable("--remove-licence", "A licence number; repeatable.", metavar="L")
@options.contact
@click.option("--rename-contact", metavar="NAME", help="Another name for the contact of --contact.")
@_repeatable("--remove-email", "An address of the contact; repeatable.", metavar="E")
@_repeatable("--remove-phone", "A number of the contact, also a mobile one; repeatable.", metavar="N")
@_repeatable("--remove-contact", "A contact, by name or address; repeatable.", metavar="NAME")
@click.option("--notes", metavar="TEXT", help="Notes instead of those there are.")
@_repeatable("--add-note", "One more line of notes; repeatable.")
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(invocation: Invocation, /, text: str, dry_run: bool, as_json: bool, **given: Any) -> None:
    """Change a customer's record.

    An option replaces what there was, and "" clears it; --add-… and --remove-… change lists. --contact chooses a
    contact by (a part of) the name or by address, or makes a new one; it may be left out while there is only one.
    """
    if not any(value is not None and value != () for value in given.values()):
        raise UsageError("nothing to change was given", hint="archiver customer edit --help lists what can be changed")
    settings = invocation.settings()
    with invocation.app.change_customers(
        settings, ask=asker(invocation), command="customer edit", dry_run=dry_run
    ) as editor:
        record = editor.archive.customer(text)
        change = editor.edit(record, edited(record.customer, given, region=settings.customers.country))
    if as_json:
        from archiver.cli.customer.shapes import change as shape

        invocation.terminal.json(shape(change, invocation.zone, dry_run=dry_run))
        return
    tell_change(invocation, change, dry_run=dry_run)


def edited(customer: Customer, given: dict[str, Any], *, region: str) -> Customer:
    """Return the customer with what was given; raises UsageError when something to remove is not there."""
    from archiver.core.customers.records import canonical_domain

    replaced = {name: given[name] for name in ("reference", "name", *options.SCALARS) if given.get(name) is not None}
    if "vat" in replaced:
        replaced["vat"] = replaced["vat"] or None
    customer = replace(customer, **replaced)
    notes = "\n".join(part for part in (customer.notes, *given["add_note"]) if part)
    return replace(
        customer,
        notes=notes,
        domains=_listed(
            customer.domains, given["add_domain"], given["remove_domain"], "domain", _bare(canonical_domain)
        ),
        licences=_listed(customer.licences, given["add_licence"], given["remove_licence"], "licence", _plain),
        contacts=_contacts(customer, given, region),
    )


def _listed(
    there: Sequence[str], added: Sequence[str], removed: Sequence[str], kind: str, canonical: Callable[[str], str]
) -> tuple[str, ...]:
    gone = {canonical(value) for value in removed}
    missing = gone - {canonical(value) for value in there}
    if missing:
        raise UsageError(f"a {kind} to remove is not there", hint="archiver customer show lists what there is")
    return (*(value for value in there if canonical(value) not in gone), *added)


def _bare(canonical: Callable[[str], str]) -> Callable[[str], str]:
    """Return a key to compare by: canonical where that is possible, else as written."""

    def key(value: str) -> str:
        try:
            return canonical(value)
        except UsageError:
            return _plain(value)

    return key


def _plain(value: str) -> str:
    return " ".join(value.split()).casefold()


def _contacts(customer: Customer, given: dict[str, Any], region: str) -> tuple[Contact, ...]:
    contacts = list(customer.contacts)
    about = any(given[name] for name in ("emails", "phones", "mobiles", "remove_email", "remove_phone"))
    if about or given["contact"] is not None or given["rename_contact"] is not None:
        place = _chosen(contacts, given["contact"])
        if place is None:
            if given["remove_email"] or given["remove_phone"] or given["rename_contact"] is not None:
                raise UsageError("there is no such contact", hint="archiver customer show lists them")
            contacts.append(Contact(given["contact"] or ""))
            place = len(contacts) - 1
        contacts[place] = _changed(contacts[place], given, customer.country or region)
    for name in given["remove_contact"]:
        place = _chosen(contacts, name)
        if place is None:
            raise UsageError("a contact to remove is not there", hint="archiver customer show lists them")
        del contacts[place]
    return tuple(contacts)


def _chosen(contacts: Sequence[Contact], wanted: str | None) -> int | None:
    """Return the contact meant by a name, a part of one, or an address; None for nobody yet.

    Without a name it is the only contact there is.
    """
    if wanted is None:
        if len(contacts) > 1:
            raise UsageError("this customer has several contacts", hint="--contact NAME says which one is meant")
        return 0 if contacts else None
    from archiver.core.customers.naming import has_words, words

    key = _plain(wanted)
    found = [i for i, contact in enumerate(contacts) if _plain(contact.name) == key or key in contact.emails]
    if not found and words(wanted):
        # "Rémi" is Rémi Noël: a second contact for one person would split what is known of them.
        found = [i for i, contact in enumerate(contacts) if has_words(words(contact.name), words(wanted))]
    if len(found) > 1:
        raise UsageError("several contacts are called that", hint="name the contact by its e-mail address")
    return found[0] if found else None


def _changed(contact: Contact, given: dict[str, Any], region: str) -> Contact:
    from archiver.core.customers.records import canonical_email, canonical_phone

    def number(text: str) -> str:
        return canonical_phone(text, region)

    emails, phones = given["remove_email"], {_bare(number)(value) for value in given["remove_phone"]}
    if phones - {_bare(number)(value) for value in (*contact.phones, *contact.mobiles)}:
        raise UsageError("a number to remove is not there", hint="archiver customer show lists what there is")
    return Contact(
        name=contact.name if given["rename_contact"] is None else given["rename_contact"],
        emails=_listed(contact.emails, given["emails"], emails, "address", _bare(canonical_email)),
        phones=(*(n for n in contact.phones if n not in phones), *given["phones"]),
        mobiles=(*(n for n in contact.mobiles if n not in phones), *given["mobiles"]),
    )
