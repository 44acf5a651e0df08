"""`archiver customer find`: who is this? For use while the telephone rings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from archiver.cli.customer.text import contact_facts, contact_line, place, tell_pieces, titled
from archiver.cli.invocation import Invocation
from archiver.cli.layout import Span
from archiver.cli.secrets import asker
from archiver.cli.wording import count

if TYPE_CHECKING:
    from archiver.cli.customer_answers import CustomerMatch
    from archiver.model.customer import Contact, Customer

_FIELDS = {
    "vat": "VAT number",
    "postal_code": "postal code",
    "email": "e-mail",
    "emails": "e-mail",
    "domains": "domain",
    "licences": "licence",
    "former_references": "formerly",
    "former_reference": "formerly",
}
_NUMBERS = frozenset({"phone", "phones", "mobile", "mobiles"})
_CONTACTS = 6
_SAID_ALREADY = frozenset({"reference", "name", "city", "postal_code"})


@click.command("find")
@click.argument("words", nargs=-1, required=True, metavar="TEXT...")
@click.option(
    "--limit", type=click.IntRange(1), default=10, show_default=True, metavar="N", help="Show at most N customers."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(invocation: Invocation, words: tuple[str, ...], limit: int, as_json: bool) -> None:
    """Find customers by anything one knows of them.

    A part of a name, of a contact's or of an address, a domain, a VAT number, a licence, a town; a telephone number
    as the display shows it. Best match first, with what matched.
    """
    settings = invocation.settings()
    with invocation.app.open_archive(settings, ask=asker(invocation), take_in=False) as archive:
        matches = archive.find_customers(" ".join(words), limit=limit)
    terminal = invocation.terminal
    if as_json:
        from archiver.cli.customer.shapes import record
        from archiver.cli.shapes import listing

        items = [
            {**record(match.record, invocation.zone), "matched": match.field, "value": match.value} for match in matches
        ]
        terminal.json(listing(len(items), items))
        return
    for match in matches:
        where = place(match.record.customer)
        terminal.wrapped(*titled(match.record.customer), *([Span(f"  {where}", "faint")] if where else []), hanging=4)
        # Of a single customer the contacts are listed anyway.
        said = (
            "" if len(matches) == 1 and match.field == "contact" else _what_matched(match, settings.customers.country)
        )
        if said:
            terminal.wrapped(Span(said), indent=4)
    if not matches:
        terminal.line("No customer fits that. In the mail itself: archiver search")
    elif len(matches) == 1:
        _reach(invocation, matches[0].record.customer)
        reference = matches[0].record.customer.reference
        terminal.line()
        terminal.line("All of it: ", Span(f"archiver customer show {_quoted(reference)}", "accent"))
        terminal.line("The mail:  ", Span(f"archiver history {_quoted(reference)}", "accent"))
    else:
        terminal.line()
        more = " or more" if len(matches) == limit else ""
        terminal.line(f"{count(len(matches), 'customer')}{more}.")


def _reach(invocation: Invocation, customer: Customer) -> None:
    """List the contacts of the one customer that was found: whoever asks is likely to call or write next."""
    region = invocation.settings().customers.country
    for contact in customer.contacts[:_CONTACTS]:
        tell_pieces(invocation.terminal, contact_facts(contact, region), indent=4)
    if len(customer.contacts) > _CONTACTS:
        invocation.terminal.line(f"    … and {count(len(customer.contacts) - _CONTACTS, 'more contact')}")


def _what_matched(match: CustomerMatch, region: str) -> str:
    """Say which field fitted and its value, with the contact it belongs to; "" when the first line said it."""
    if match.field in _SAID_ALREADY:
        former = match.field == "reference" and match.value != match.record.customer.reference
        return f"formerly {match.value}" if former else ""
    value = match.value
    contact = next((c for c in match.record.customer.contacts if _has(c, value)), None)
    field = _FIELDS.get(match.field, match.field)
    if match.field in _NUMBERS:
        from archiver.core.customers.records import show_phone

        field = "mobile" if contact is not None and value in contact.mobiles else "phone"
        value = show_phone(value, region)
    elif match.field == "vat":
        from archiver.core.customers.records import show_vat

        value = show_vat(value)
    if match.field == "contact" and contact is not None:
        # Whoever asks for a person wants to reach that person.
        return contact_line(contact, region)
    named = f" ({contact.name})" if contact is not None and contact.name and contact.name != match.value else ""
    return f"{field} {value}{named}"


def _has(contact: Contact, value: str) -> bool:
    return value in (*contact.emails, *contact.phones, *contact.mobiles, contact.name)


def _quoted(reference: str) -> str:
    from shlex import quote

    return quote(reference)
