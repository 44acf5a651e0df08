"""What `--json` prints of customers and of changes to them: a contract with scripts, like `archiver.cli.shapes`.

Values are canonical: telephone numbers in E.164, VAT numbers with their country. A customer is always named by
reference, in the fields `customer` and `customers`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import TYPE_CHECKING

from archiver.cli.shapes import Json, moment
from archiver.model.customer import Consent, Contact, Customer, CustomerRecord
from archiver.model.link import LinkChanges

if TYPE_CHECKING:
    from archiver.cli.customer_answers import CustomerChange, CustomerFigures


def record(item: CustomerRecord, zone: tzinfo | None) -> dict[str, object]:
    """Return a customer as kept."""
    return {
        **contents(item.customer, zone),
        "created": moment(item.created, zone),
        "changed": moment(item.changed, zone),
    }


def contents(customer: Customer, zone: tzinfo | None) -> dict[str, object]:
    """Return a customer's data; `consent` is the one in force, `consents` are all that were ever given."""
    return {
        "reference": customer.reference,
        "name": customer.name,
        "address": customer.address,
        "postal_code": customer.postal_code,
        "city": customer.city,
        "country": customer.country,
        "vat": customer.vat,
        "domains": list(customer.domains),
        "licences": list(customer.licences),
        "contacts": [contact(item) for item in customer.contacts],
        "notes": customer.notes,
        "consent": consent(customer.consent, zone) if customer.consent is not None else None,
        "consents": [consent(item, zone) for item in customer.consents],
        "former_references": list(customer.former_references),
    }


def contact(item: Contact) -> Json:
    """Return a contact."""
    return {
        "name": item.name,
        "emails": list(item.emails),
        "phones": list(item.phones),
        "mobiles": list(item.mobiles),
    }


def consent(item: Consent, zone: tzinfo | None) -> Json:
    """Return a consent to be named as a reference; `message` is a message's whole id."""
    return {
        "given_at": moment(item.given_at, zone),
        "given_by": item.given_by,
        "message": item.message,
        "withdrawn_at": moment(item.withdrawn_at, zone),
        "withdrawn_by": item.withdrawn_by,
    }


def figures(item: CustomerFigures, zone: tzinfo | None) -> Json:
    """Return how much mail there is with a customer."""
    return {
        "linked": item.linked,
        "candidates": item.candidates,
        "newest": moment(item.newest, zone),
        "oldest": moment(item.oldest, zone),
    }


def change(item: CustomerChange, zone: tzinfo | None, *, dry_run: bool) -> Json:
    """Return what became of one customer and of the links."""
    return {
        **change_alone(item, zone),
        "links": links(item.links, item.references),
        "warnings": list(item.warnings),
        "dry_run": dry_run,
    }


def change_alone(item: CustomerChange, zone: tzinfo | None) -> Json:
    """Return what became of one customer: each field with its value before and after."""
    return {
        "customer": (item.after or item.record.customer).reference,
        "change": kind_of(item),
        "fields": [
            {"field": name, "before": before, "after": after}
            for name, before, after in _fields(item.before, item.after, zone)
        ],
    }


def kind_of(item: CustomerChange) -> str:
    """Return "added", "removed", "changed" or "unchanged"."""
    if item.before is None:
        return "added"
    if item.after is None:
        return "removed"
    return "unchanged" if item.before == item.after else "changed"


def links(changes: LinkChanges, references: Mapping[int, str]) -> Json:
    """Return how many messages gained or lost what, by customer."""
    return {
        "messages": changes.messages,
        "gained": _counted(changes.gained, references),
        "lost": _counted(changes.lost, references),
        "candidates_gained": _counted(changes.candidates_gained, references),
        "candidates_lost": _counted(changes.candidates_lost, references),
    }


def _counted(counts: Sequence[tuple[int, int]], references: Mapping[int, str]) -> list[Json]:
    return [{"customer": references.get(customer), "messages": messages} for customer, messages in counts]


def _fields(
    before: Customer | None, after: Customer | None, zone: tzinfo | None
) -> Sequence[tuple[str, object, object]]:
    old = contents(before, zone) if before is not None else {}
    new = contents(after, zone) if after is not None else {}
    return [
        (name, old.get(name), new.get(name))
        for name in dict.fromkeys((*old, *new))
        if name != "consent" and (old.get(name) or None) != (new.get(name) or None)
    ]
