"""A record and what a file says about it: the record afterwards, and what is different, for people.

The rule of an update: what the file fills in replaces what the record has, what it leaves empty stays. Contacts that
the file does not name stay; one is the same if it has an address in common, else if it has the same name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from itertools import zip_longest

from msgspec import Struct
from msgspec.structs import replace

from archiver.core.customers.records import LABELS
from archiver.model.customer import Consent, Contact, Customer

_LISTS = ("domains", "licences", "former_references")


class Difference(Struct, frozen=True):
    """One field that changed: its label, and its value before and after as text; empty where there was none."""

    field: str
    before: str
    after: str


def updated(old: Customer, new: Customer, columns: Collection[str] | None = None) -> Customer:
    """Return the record as it is after an update by a file.

    `columns` are the fields that the file says something about (`Entry.columns`); without it, those that are not empty.
    The reference stays as the record has it, and so do consents and the references of merged customers.
    """
    if columns is None:
        columns = [name for name in Customer.__struct_fields__ if getattr(new, name)]
    taken = {name: getattr(new, name) for name in columns if name not in _NEVER and name != "contacts"}
    contacts = _updated_contacts(old.contacts, new.contacts) if "contacts" in columns else old.contacts
    return replace(old, contacts=contacts, **taken)


_NEVER = frozenset(("reference", "consents", "former_references"))


def _updated_contacts(old: Sequence[Contact], new: Sequence[Contact]) -> tuple[Contact, ...]:
    after = list(old)
    free, shared = set(range(len(after))), _shared(old, new)
    for contact in new:
        place = next(_places(after, free, contact, shared), None)
        if place is None:
            after.append(contact)
            continue
        free.discard(place)
        there = after[place]
        after[place] = Contact(
            contact.name or there.name,
            contact.emails or there.emails,
            contact.phones or there.phones,
            contact.mobiles or there.mobiles,
        )
    return tuple(dict.fromkeys(after))


def _places(old: Sequence[Contact], free: Collection[int], wanted: Contact, shared: Collection[str]) -> Iterator[int]:
    """Yield where a contact stands already, the surest first: itself, name and address, address, name.

    An address that is `shared` by several people tells nobody from another.
    """
    name, emails = _plain(wanted.name), set(wanted.emails)
    own = emails.difference(shared)
    here = sorted(free)
    yield from (i for i in here if old[i] == wanted)
    yield from (i for i in here if emails.intersection(old[i].emails) and _plain(old[i].name) == name)
    yield from (i for i in here if own.intersection(old[i].emails))
    yield from (i for i in here if name and _plain(old[i].name) == name)


def _shared(*states: Sequence[Contact]) -> set[str]:
    """Return addresses that several contacts have at one time."""
    shared: set[str] = set()
    for contacts in states:
        counted = Counter(email for contact in contacts for email in set(contact.emails))
        shared.update(email for email, times in counted.items() if times > 1)
    return shared


def _plain(name: str) -> str:
    return " ".join(name.casefold().split())


def differences(old: Customer, new: Customer) -> list[Difference]:
    """List what is different between two states of a record, in the order of the fields; contacts one by one."""
    found: list[Difference] = []
    for name in Customer.__struct_fields__:
        before, after = getattr(old, name), getattr(new, name)
        if before == after:
            continue
        if name == "contacts":
            found.extend(_contact_differences(old.contacts, new.contacts))
        elif name == "consents":
            found.append(Difference("consent", _consents(before), _consents(after)))
        elif name in _LISTS:
            found.append(Difference(_LABELS.get(name, name), ", ".join(before), ", ".join(after)))
        else:
            found.append(Difference(_LABELS.get(name, name), before or "", after or ""))
    return found


_LABELS = {**LABELS, "domains": "domains", "licences": "licences", "former_references": "former references"}


def _contact_differences(old: Sequence[Contact], new: Sequence[Contact]) -> Iterator[Difference]:
    pairs: list[tuple[Contact | None, Contact | None]] = []
    free, shared = set(range(len(old))), _shared(old, new)
    for contact in new:
        place = next(_places(old, free, contact, shared), None)
        if place is not None:
            free.discard(place)
        pairs.append((None if place is None else old[place], contact))
    pairs.extend((old[place], None) for place in sorted(free))
    changed = [(b, a) for b, a in pairs if b != a]
    yield from (Difference("contact", shown_contact(b), shown_contact(a)) for b, a in changed)
    if not changed:
        order = zip_longest(old, new)
        yield from (Difference("contact", shown_contact(b), shown_contact(a)) for b, a in order if b != a)


def shown_contact(contact: Contact | None) -> str:
    """Return a contact on one line; empty for none."""
    if contact is None:
        return ""
    return ", ".join(part for part in (contact.name, *contact.emails, *contact.phones, *contact.mobiles) if part)


def _consents(consents: Sequence[Consent]) -> str:
    return "; ".join(_consent(consent) for consent in consents)


def _consent(consent: Consent) -> str:
    given = f"given {consent.given_at:%Y-%m-%d} by {consent.given_by}"
    if consent.withdrawn_at is None:
        return given
    by = f" by {consent.withdrawn_by}" if consent.withdrawn_by else ""
    return f"{given}, withdrawn {consent.withdrawn_at:%Y-%m-%d}{by}"
