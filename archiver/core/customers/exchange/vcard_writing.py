"""Customers as vCard 4.0 (RFC 6350): a card for the company, one for each contact; `vcard_reading` reads them back.

What only this program knows has names of its own: `X-ARCHIVER-REFERENCE`, on every card, `X-ARCHIVER-VAT`,
`X-ARCHIVER-DOMAIN` and `X-ARCHIVER-LICENCE`. Consents are not among it, as in CSV. The UID of a card is made of the
reference and the contact's place, so that an address book that gets the cards twice has each once.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator

from archiver.core.customers.exchange.vcard_lines import escaped, folded
from archiver.model.customer import Contact, Customer

_NAMESPACE = uuid.UUID("9f6f0f0e-6f0a-5d3b-8f43-3f1f0d8a7c51")
"""Of the names that UIDs are made of (RFC 9562 §5.5); any will do as long as it stays."""


def write_vcards(customers: Iterable[Customer]) -> str:
    """Return the text of a file, lines ended by CR LF: write it in UTF-8, without changing line ends."""
    return "".join(f"{folded(line)}\r\n" for customer in customers for line in _cards(customer))


def _cards(customer: Customer) -> Iterator[str]:
    yield from _company(customer)
    for place, contact in enumerate(customer.contacts, 1):
        yield from _person(customer, contact, place)


def _company(customer: Customer) -> Iterator[str]:
    yield from _head("org", customer, "")
    yield f"FN:{escaped(customer.name)}"
    yield f"ORG:{escaped(customer.name)}"
    place = (customer.address, customer.city, "", customer.postal_code, customer.country)
    if any(place):
        yield f"ADR;TYPE=work:;;{';'.join(escaped(part) for part in place)}"
    if customer.vat:
        yield f"X-ARCHIVER-VAT:{customer.vat}"
    yield from (f"X-ARCHIVER-DOMAIN:{domain}" for domain in customer.domains)
    yield from (f"X-ARCHIVER-LICENCE:{escaped(licence)}" for licence in customer.licences)
    if customer.notes:
        yield f"NOTE:{escaped(customer.notes)}"
    yield "END:VCARD"


def _person(customer: Customer, contact: Contact, place: int) -> Iterator[str]:
    yield from _head("individual", customer, str(place))
    if contact.name:
        yield f"FN:{escaped(contact.name)}"
        yield f"N:;{escaped(contact.name)};;;"  # which of its words is the family's, nobody told
    else:  # a card must have a name to show; DERIVED (RFC 9554 §4.4) says that nobody gave it
        yield f"FN;DERIVED=TRUE:{escaped(contact.emails[0] if contact.emails else customer.name)}"
    yield f"ORG:{escaped(customer.name)}"
    for rank, email in enumerate(contact.emails):
        yield f"EMAIL;PREF=1:{escaped(email)}" if rank == 0 else f"EMAIL:{escaped(email)}"
    yield from (f'TEL;VALUE=uri;TYPE="work,voice":tel:{number}' for number in contact.phones)
    yield from (f'TEL;VALUE=uri;TYPE="work,cell":tel:{number}' for number in contact.mobiles)
    yield "END:VCARD"


def _head(kind: str, customer: Customer, place: str) -> Iterator[str]:
    yield "BEGIN:VCARD"
    yield "VERSION:4.0"
    yield f"KIND:{kind}"
    yield f"UID:urn:uuid:{uuid.uuid5(_NAMESPACE, f'{customer.reference.casefold()}/{place}')}"
    yield f"X-ARCHIVER-REFERENCE:{escaped(customer.reference)}"
