"""Two records of one customer made into one, and apart again.

Nothing of either is lost: what the winner has no room for (another VAT number, another address) is kept in its notes,
in lines that say where it is from. Links are not known here: they follow the records (see
`archiver.core.linking.directory`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Sequence
from datetime import datetime
from typing import TypeVar

from msgspec.structs import replace

from archiver.model.customer import Consent, Contact, Customer

_T = TypeVar("_T", bound=Hashable)

_PLACE = ("address", "postal_code", "city", "country")


def merged(winner: Customer, loser: Customer) -> Customer:
    """Return the winner with all that the loser has.

    Empty fields are filled; an address only as a whole, unless both say the same as far as they say anything. Contacts
    that share an e-mail address are one, unless their names are of two people. Consents are ordered by what happened
    to them last, so that a withdrawal by either counts for what was agreed to before it.
    """
    kept: list[str] = []
    filled: dict[str, str] = {}
    place, other = _place(winner), _place(loser)
    if _fits(place, other):
        filled = {name: getattr(winner, name) or getattr(loser, name) for name in _PLACE}
    elif any(other) and not any(place):
        filled = dict(zip(_PLACE, other, strict=True))
    elif any(other[:3]) and not any(place[:3]):
        filled = {name: getattr(loser, name) for name in _PLACE}
        if winner.country and loser.country != winner.country:
            filled["country"] = loser.country or winner.country
            kept.append(f"address in {loser.country}, before {winner.country}" if loser.country else "address")
    elif any(other):
        what = "address" if any(other[:3]) else "country"
        kept.append(f"{what} {', '.join(part.replace(chr(10), ', ') for part in other if part)}")
    if loser.name and loser.name != winner.name:
        kept.insert(0, f"name {loser.name}")
    if loser.vat and winner.vat and loser.vat != winner.vat:
        kept.append(f"VAT {loser.vat}")
    contacts, names = _united(winner.contacts, loser.contacts)
    kept.extend(f"contact {name}" for name in names)
    lines = [winner.notes, *(f"from {loser.reference}: {line}" for line in kept)]
    if loser.notes and loser.notes not in winner.notes:
        lines.append(f"from {loser.reference}: notes\n{loser.notes}")
    references = (*winner.former_references, loser.reference, *loser.former_references)
    return replace(
        winner,
        **filled,
        name=winner.name or loser.name,
        vat=winner.vat or loser.vat,
        domains=_joined(winner.domains, loser.domains),
        licences=_joined(winner.licences, loser.licences),
        contacts=contacts,
        notes="\n".join(line for line in lines if line),
        consents=_consents(winner.consents, loser.consents),
        former_references=tuple(dict.fromkeys(references)),
    )


def unmerged(current: Customer, before: Customer, after: Customer) -> Customer:
    """Return the winner without what a merge gave it: `before` and `after` are its contents around that merge.

    What was edited since stays. A contact that came from the loser goes, and leaves behind what it was given since.
    """
    if current == after:
        return before
    scalars = {
        name: getattr(before if getattr(current, name) == getattr(after, name) else current, name)
        for name in ("name", "vat", *_PLACE)
    }
    return replace(
        current,
        **scalars,
        domains=_without(current.domains, before.domains, after.domains),
        licences=_without(current.licences, before.licences, after.licences),
        contacts=_parted(current.contacts, before.contacts, after.contacts),
        notes=_parted_notes(current.notes, before.notes, after.notes),
        consents=_without(current.consents, before.consents, after.consents),
        former_references=_without(current.former_references, before.former_references, after.former_references),
    )


def restored(loser: Customer, current: Customer) -> Customer:
    """Return the loser as it is when a merge is undone: as before, with consents withdrawn since from the winner.

    The winner keeps these too (`unmerged`): whoever withdrew spoke for both.
    """
    withdrawn = {_given(consent): consent for consent in current.consents if consent.withdrawn_at is not None}
    return replace(loser, consents=tuple(withdrawn.get(_given(consent), consent) for consent in loser.consents))


def _given(consent: Consent) -> tuple[datetime, str, str | None]:
    return consent.given_at, consent.given_by, consent.message


def _place(customer: Customer) -> tuple[str, str, str, str]:
    return customer.address, customer.postal_code, customer.city, customer.country


def _fits(one: Sequence[str], other: Sequence[str]) -> bool:
    """Tell whether two addresses say the same, as far as both say anything, and there is something both say."""
    pairs = [(_plain(a), _plain(b)) for a, b in zip(one, other, strict=True) if a and b]
    return all(a == b for a, b in pairs) and (bool(pairs) or not any(other))


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _joined(one: Sequence[_T], other: Sequence[_T]) -> tuple[_T, ...]:
    return tuple(dict.fromkeys((*one, *other)))


def _without(current: Sequence[_T], before: Collection[_T], after: Sequence[_T]) -> tuple[_T, ...]:
    """Return current values without those that came in; those that went out meanwhile are not brought back."""
    added = set(after) - set(before)
    if tuple(current) == tuple(after):
        return tuple(before)
    return tuple(value for value in current if value not in added)


def _united(winners: Sequence[Contact], losers: Sequence[Contact]) -> tuple[tuple[Contact, ...], list[str]]:
    """Return the contacts of both, and names that were given up for another spelling of them.

    The winner's keep their places, those of the loser that are nobody's come behind.
    """
    contacts = list(winners)
    other_names: list[str] = []
    for contact in losers:
        place = next((i for i, there in enumerate(contacts) if _same_person(there, contact)), None)
        if place is None:
            contacts.append(contact)
            continue
        there = contacts[place]
        if contact.name and there.name and contact.name != there.name:
            other_names.append(contact.name)
        contacts[place] = Contact(
            there.name or contact.name,
            _joined(there.emails, contact.emails),
            _joined(there.phones, contact.phones),
            _joined(there.mobiles, contact.mobiles),
        )
    return tuple(contacts), other_names


def _same_person(one: Contact, other: Contact) -> bool:
    """Tell whether two contacts are one: an address in common, and names that can be one person's.

    Two people share an address like info@ often enough; their telephone numbers must not be mixed up.
    """
    if one == other:
        return True
    if not set(one.emails) & set(other.emails):
        return False
    names = [set(_plain(name).replace(".", " ").replace(",", " ").split()) for name in (one.name, other.name)]
    shorter, longer = sorted(names, key=len)
    return all(any(word == there or _initial(word, there) for there in longer) for word in shorter)


def _initial(one: str, other: str) -> bool:
    return (len(one) == 1 or len(other) == 1) and one[:1] == other[:1]


def _consents(winners: Sequence[Consent], losers: Sequence[Consent]) -> tuple[Consent, ...]:
    if not set(losers) - set(winners):
        return tuple(winners)

    def last_event(consent: Consent) -> tuple[datetime, datetime]:
        return consent.withdrawn_at or consent.given_at, consent.given_at

    return tuple(sorted(_joined(winners, losers), key=last_event))


def _parted(current: Sequence[Contact], before: Sequence[Contact], after: Sequence[Contact]) -> tuple[Contact, ...]:
    """Return contacts as they would be without the merge; `after` begins with those of `before`, joined or not."""
    if tuple(current) == tuple(after):
        return tuple(before)
    pairs = dict(_paired(current, after))
    parted = []
    for place, contact in enumerate(current):
        origin = pairs.get(place)
        if origin is None:
            parted.append(contact)
            continue
        came_from = before[origin] if origin < len(before) else None
        left = _parted_contact(contact, came_from or Contact(), after[origin])
        if came_from is not None or left != Contact():
            parted.append(left)
    return tuple(parted)


def _parted_contact(current: Contact, before: Contact, after: Contact) -> Contact:
    if current == after:
        return before
    return Contact(
        before.name if current.name == after.name else current.name,
        _without(current.emails, before.emails, after.emails),
        _without(current.phones, before.phones, after.phones),
        _without(current.mobiles, before.mobiles, after.mobiles),
    )


def _paired(current: Sequence[Contact], after: Sequence[Contact]) -> list[tuple[int, int]]:
    """Pair contacts with what they were after the merge: the same, else an address or number or name in common."""
    pairs: list[tuple[int, int]] = []
    left, right = list(range(len(current))), list(range(len(after)))

    def pair(fits: Callable[[Contact, Contact], bool]) -> None:
        for here in tuple(left):
            there = next((place for place in right if fits(current[here], after[place])), None)
            if there is not None:
                pairs.append((here, there))
                left.remove(here)
                right.remove(there)

    pair(lambda one, other: one == other)
    pair(lambda one, other: bool(set(one.emails) & set(other.emails)) and one.name == other.name)
    pair(lambda one, other: bool(set(one.emails) & set(other.emails)))
    pair(lambda one, other: bool({*one.phones, *one.mobiles} & {*other.phones, *other.mobiles}))
    pair(lambda one, other: bool(one.name) and _plain(one.name) == _plain(other.name))
    return pairs


def _parted_notes(current: str, before: str, after: str) -> str:
    """Take away the lines that the merge added, wherever they stand now; what was written since stays."""
    if current == after:
        return before
    added = after.removeprefix(before).removeprefix("\n")
    if not added:
        return current
    going = added.split("\n")
    lines = []
    for line in current.split("\n"):
        if line in going:
            going.remove(line)
        else:
            lines.append(line)
    return "\n".join(lines).strip("\n")
