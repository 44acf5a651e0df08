"""Names of companies and people, as words that can be compared; and which customers or contacts a query means.

Words are compared without case and accents; legal forms say nothing about who is meant. Knows no records store, and
loads nothing heavy: a search for `customer:` or `contact:` waits for it. Telephone numbers and near misses are
finding.py's.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from archiver.model.customer import Contact, CustomerRecord

if TYPE_CHECKING:
    from archiver.core.customer_ports import Customers

_LEGAL_FORMS = frozenset((
    "nv", "bv", "bvba", "sprl", "srl", "sa", "sas", "sarl", "eurl", "sasu", "sca", "sc", "cv", "cvba", "scrl", "vof",
    "snc", "comm", "commv", "gcv", "scs", "vzw", "asbl", "ivzw", "aisbl", "ebvba", "gmbh", "ag", "kg", "ohg", "ug",
    "mbh", "gbr", "ev", "eg", "se", "ltd", "limited", "llc", "llp", "plc", "inc", "corp", "corporation", "co", "spa",
    "srls", "ab", "as", "aps", "oy", "oyj", "spzoo", "stichting", "maatschap",
))  # fmt: skip
_FILLERS = frozenset((
    "de", "der", "den", "die", "das", "het", "the", "van", "von", "of", "la", "le", "les", "l", "d", "du", "des",
    "et", "en", "and", "und", "y", "e", "di", "a",
))  # fmt: skip

_STROKED = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d"})

_ASCII_WORD = re.compile(r"[a-z0-9]+")

_NEAR = 5
"""References that are named when a customer is not found."""


def words(text: str) -> tuple[str, ...]:
    """Cut a text into its words: letters and digits, without case and accents."""
    if text.isascii():
        return tuple(_ASCII_WORD.findall(text.lower()))
    folded = unicodedata.normalize("NFKD", text.casefold()).translate(_STROKED)
    plain = "".join(c for c in folded if not unicodedata.combining(c))
    return tuple("".join(c if c.isalnum() else " " for c in plain).split())


def company_words(name: str) -> tuple[str, ...]:
    """Return the words of a company's name that tell it from others; all of them where nothing would be left.

    Legal forms and articles are dropped, however they are dotted: "B.V.B.A." is one word.
    """
    named = without_legal_form(name)
    return tuple(word for word in named if word not in _FILLERS) or named


def without_legal_form(name: str) -> tuple[str, ...]:
    """Return the words of a company's name but for its legal form; all of them where nothing would be left."""
    every = words(name.replace(".", ""))
    return tuple(word for word in every if word not in _LEGAL_FORMS) or every


def has_words(name: Iterable[str], wanted: Sequence[str], *, prefix: bool = False) -> bool:
    """Tell whether all wanted words are in a name, in any order; with `prefix`, the last one may be a beginning."""
    there = set(name)
    whole = wanted[:-1] if prefix else wanted
    if not there.issuperset(whole):
        return False
    return not prefix or any(word.startswith(wanted[-1]) for word in there)


class Named(Struct, frozen=True):
    """The customers that a text means, by internal id; `near` are references that might be meant when there is none."""

    customers: tuple[int, ...]
    near: tuple[str, ...] = ()


def customers_named(records: Sequence[CustomerRecord], text: str, *, prefix: bool = False) -> Named:
    """Return those with this reference, else this VAT number, else exactly this name, else a name with these words.

    With `prefix` the last word may be the beginning of one, and no text is every customer. A reference of a customer
    that was merged means the one that it was merged into.
    """
    alive = [record for record in records if record.merged_into is None]
    if not prefix:
        for found in (_by_reference(records, text), _by_vat(alive, text)):
            if found:
                return Named(found)
    wanted = words(text)
    if not wanted:
        return Named(tuple(record.id for record in alive) if prefix and not text.strip() else ())
    named = [(record, words(record.customer.name)) for record in alive]
    if not prefix and (same := tuple(record.id for record, name in named if name == wanted)):
        return Named(same)
    if fitting := tuple(record.id for record, name in named if has_words(name, wanted, prefix=prefix)):
        return Named(fitting)
    spelled = [
        (record.customer.reference, text)
        for record in alive
        for text in (record.customer.name, record.customer.reference)
    ]
    return Named((), _near(spelled, wanted))


def look_up(customers: Customers, text: str, *, prefix: bool) -> tuple[Sequence[int], Sequence[str]]:
    """Return the customers that a text in a query means, by internal id, and near references when there is none.

    A reference is looked up as it is, which is nearly always enough; only else are all records read.
    """
    record = None if prefix else customers.by_reference(text.strip())
    if record is not None and record.merged_into is None:
        return (record.id,), ()
    found = customers_named(customers.all(), text, prefix=prefix)
    return found.customers, found.near


def contacts_named(
    records: Sequence[CustomerRecord], text: str, *, prefix: bool = False
) -> tuple[Sequence[str], Sequence[str]]:
    """Return all addresses of the contacts that a text means, by address, else exactly by name, else by its words.

    With `prefix` the last word, or the address, may be the beginning of one. When there is none, the second value has
    references of customers with a contact whose name is spelled nearly like this.
    """
    alive = [record for record in records if record.merged_into is None]
    contacts = [contact for record in alive for contact in record.customer.contacts if contact.emails]
    if "@" in text:
        wanted = text.strip().casefold()
        return _addresses(
            contact
            for contact in contacts
            if any((each.startswith if prefix else each.__eq__)(wanted) for each in map(str.casefold, contact.emails))
        ), ()
    by_word = words(text)
    if not by_word:
        return _addresses(contacts if prefix and not text.strip() else ()), ()
    named = [(contact, words(contact.name)) for contact in contacts]
    if not prefix and (same := [contact for contact, name in named if name == by_word]):
        return _addresses(same), ()
    if fitting := [contact for contact, name in named if has_words(name, by_word, prefix=prefix)]:
        return _addresses(fitting), ()
    return (), _near(
        [(record.customer.reference, contact.name) for record in alive for contact in record.customer.contacts], by_word
    )


def _addresses(contacts: Iterable[Contact]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(email for contact in contacts for email in contact.emails))


def surviving(records: Iterable[CustomerRecord], identifier: int) -> int | None:
    """Follow merges to the customer that is left; None when there is no such customer."""
    merged = {record.id: record.merged_into for record in records}
    seen: set[int] = set()
    while identifier in merged and identifier not in seen:
        seen.add(identifier)
        after = merged[identifier]
        if after is None:
            return identifier
        identifier = after
    return None


def _by_reference(records: Sequence[CustomerRecord], text: str) -> tuple[int, ...]:
    wanted = text.strip().casefold()
    for record in records:
        if record.customer.reference.casefold() == wanted:
            left = surviving(records, record.id)
            return () if left is None else (left,)
    return tuple(
        record.id
        for record in records
        if record.merged_into is None and wanted in (each.casefold() for each in record.customer.former_references)
    )


def _by_vat(records: Sequence[CustomerRecord], text: str) -> tuple[int, ...]:
    """Compare letters and digits; the country may be left out, and Belgium's leading zero too."""
    wanted = "".join(c for c in text.upper() if c.isalnum())
    if sum(c.isdigit() for c in wanted) < 7:
        return ()
    spellings = {wanted, "0" + wanted}
    return tuple(
        record.id
        for record in records
        if (vat := record.customer.vat) is not None and (vat in spellings or vat[2:] in spellings)
    )


def _near(spelled: Iterable[tuple[str, str]], wanted: Sequence[str]) -> tuple[str, ...]:
    """Return references, of (reference, text), whose text has a word that is spelled nearly like one of these."""
    from difflib import get_close_matches

    by_word: dict[str, list[str]] = {}
    for reference, text in spelled:
        for word in words(text):
            by_word.setdefault(word, []).append(reference)
    near = dict.fromkeys(
        reference
        for word in wanted
        for match in get_close_matches(word, by_word, n=_NEAR, cutoff=0.75)
        for reference in by_word[match]
    )
    return tuple(near)[:_NEAR]
