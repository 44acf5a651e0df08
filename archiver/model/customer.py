"""Customers and their contacts, as typed values.

Everything here is canonical already: VAT numbers with their country and without punctuation, telephone numbers in
E.164, domains in lower case and ASCII. How text becomes canonical is `archiver.core`'s business. The records hold no
more than a company promises its customers to keep: company data, contact data, licences, notes and consent.
"""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct


class Contact(Struct, frozen=True):
    """A person or a role at a customer; `emails` are addr-specs, the first is the one to write to.

    `phones` and `mobiles` are E.164 (`+32471123456`), with `;ext=…` (RFC 3966 §5.3) where there is an extension.
    """

    name: str = ""
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    mobiles: tuple[str, ...] = ()


class Consent(Struct, frozen=True):
    """The customer's agreement to be named as a reference: when, by whom, on the evidence of which message.

    `message` is the whole hexadecimal id of a kept message. A consent that is withdrawn stays on record as such.
    """

    given_at: datetime
    given_by: str
    message: str | None = None
    withdrawn_at: datetime | None = None
    withdrawn_by: str | None = None


class Customer(Struct, frozen=True):
    """One customer. `reference` is the company's own number for it: unique, compared without case.

    `address` is street and number, several lines where there are; `country` is ISO 3166-1 alpha-2. `vat` is canonical,
    with its country (`BE0428759497`). `former_references` are those of customers that were merged into this one.
    """

    reference: str
    name: str
    address: str = ""
    postal_code: str = ""
    city: str = ""
    country: str = ""
    vat: str | None = None
    domains: tuple[str, ...] = ()
    licences: tuple[str, ...] = ()
    contacts: tuple[Contact, ...] = ()
    notes: str = ""
    consents: tuple[Consent, ...] = ()
    former_references: tuple[str, ...] = ()

    @property
    def consent(self) -> Consent | None:
        """The consent in force to be named as a reference; None when none was given or the last one was withdrawn."""
        last = self.consents[-1] if self.consents else None
        return last if last is not None and last.withdrawn_at is None else None

    @property
    def emails(self) -> tuple[str, ...]:
        """All addresses of all contacts, each once."""
        return tuple(dict.fromkeys(email for contact in self.contacts for email in contact.emails))

    @property
    def numbers(self) -> tuple[str, ...]:
        """All telephone numbers, each once."""
        every = (number for contact in self.contacts for number in (*contact.phones, *contact.mobiles))
        return tuple(dict.fromkeys(every))


class CustomerRecord(Struct, frozen=True):
    """A customer as the catalogue keeps it; `id` is internal and never used again, `merged_into` is another's id."""

    id: int
    customer: Customer
    created: datetime
    changed: datetime
    merged_into: int | None = None
