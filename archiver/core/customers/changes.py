"""What a change of customers came to, told in values: before and after, messages gained and lost, and warnings.

Knows nothing of how changes are made or kept: that is `archiver.core.customers.editing`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct, field

from archiver.model.customer import Customer, CustomerRecord
from archiver.model.link import LinkChanges


class CustomerChange(Struct, frozen=True):
    """What a change came to. `before` is None for a new customer, `after` for a removed one; both equal: no change.

    `links` counts messages by internal id; `references` names these. `warnings` say what the record has in common with
    other customers: allowed, and worth a look.
    """

    record: CustomerRecord
    before: Customer | None
    after: Customer | None
    links: LinkChanges = field(default_factory=LinkChanges)
    references: Mapping[int, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


class ImportChanges(Struct, frozen=True):
    """What an import came to: one change a customer, in the order given, and what all of them did to the links."""

    changes: tuple[CustomerChange, ...]
    links: LinkChanges = field(default_factory=LinkChanges)
    references: Mapping[int, str] = field(default_factory=dict)


def references_in(records: Sequence[CustomerRecord], links: LinkChanges) -> dict[int, str]:
    """Return the references of the customers that counts of messages name."""
    named = {
        customer
        for counts in (links.gained, links.lost, links.candidates_gained, links.candidates_lost)
        for customer, _ in counts
    }
    return {each.id: each.customer.reference for each in records if each.id in named}


_SHARED: Mapping[str, Callable[[Customer], Sequence[str]]] = {
    "e-mail address": lambda customer: customer.emails,
    "domain": lambda customer: customer.domains,
    "VAT number": lambda customer: (customer.vat,) if customer.vat else (),
    "licence": lambda customer: customer.licences,
}


def shared_with(record: CustomerRecord, records: Sequence[CustomerRecord]) -> tuple[str, ...]:
    """Say which addresses and numbers of a customer others have too: allowed, and worth a look."""
    return InCommon(records).warnings(record)


class InCommon:
    """Which customers have what, to say what several of them have."""

    def __init__(self, records: Sequence[CustomerRecord]) -> None:
        self._owners: dict[tuple[str, str], list[CustomerRecord]] = {}
        for each in records:
            if each.merged_into is None:
                for kind, values in _SHARED.items():
                    for value in dict.fromkeys(value.casefold() for value in values(each.customer)):
                        self._owners.setdefault((kind, value), []).append(each)

    def warnings(self, record: CustomerRecord) -> tuple[str, ...]:
        """Say what a customer has in common with others."""
        found = []
        for kind, values in _SHARED.items():
            for value in values(record.customer):
                owners = self._owners.get((kind, value.casefold()), ())
                if any(each.id != record.id for each in owners):
                    # Alike for each of them, so that whoever changes many at once can say it once.
                    names = sorted(each.customer.reference for each in owners)
                    listed = f"{', '.join(names[:-1])} and {names[-1]}"
                    found.append(f"{kind} {value} is that of {listed}: such mail will be ambiguous")
        return tuple(found)
