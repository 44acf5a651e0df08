"""Find a customer by whatever a caller says: part of a name, an address, a domain, a number in any spelling.

Compares what is kept with what was typed, digit by digit and word by word, so that none of the libraries behind
`archiver.core.customers.records` is loaded while the telephone rings. Nothing is looked up anywhere else, and no index
is kept: 2,000 customers are read through in some milliseconds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from archiver.core.customers.haystack import FUZZY_FROM, Haystack, findable, fold, one_edit, sound
from archiver.core.customers.naming import company_words, surviving
from archiver.errors import UsageError
from archiver.model.customer import Customer, CustomerRecord

_NEAR = 5
"""References that are named when it is not clear who is meant."""

_CERTAIN = 80
"""The score from which a find that is alone at the top is taken for who is meant."""

_ONLY_ALNUM = re.compile(r"[^0-9A-Z]+")
_NUMBER = re.compile(r"^[+(]?[0-9][0-9 ()/.+\-\u00a0\u2011]*$")
_EXTENSION = re.compile(r"\s*(?:;ext=|ext\.?|tst\.?|toestel|poste|#|x)\s*[0-9]{1,7}$", re.IGNORECASE)
_FIRST_DIGITS = 3
"""Digits from which a number that has only begun is looked for: an area, or the first half of a mobile operator's."""

_CALLING_CODES = {
    "AT": "43", "BE": "32", "CH": "41", "DE": "49", "DK": "45", "ES": "34", "FR": "33", "GB": "44", "IE": "353",
    "IT": "39", "LU": "352", "NL": "31", "PL": "48", "PT": "351", "SE": "46",
}  # fmt: skip
"""Of the countries around: which of two equal numbers a caller means. Others are found without it."""


class CustomerMatch(Struct, frozen=True):
    """A customer that fits: `field` is what fits, as the record names it, `value` what it says there.

    `score` is 1 to 100: from 95 one of their identifiers is exactly what was typed, below 80 it is a likeness.
    """

    record: CustomerRecord
    field: str
    value: str
    score: int


class UnclearError(UsageError):
    """A text means no customer, or several; `matches` are the nearest, best first. The message has references only."""

    def __init__(self, message: str, *, matches: Sequence[CustomerMatch], hint: str) -> None:
        super().__init__(message, hint=hint)
        self.matches = tuple(matches)


def find(records: Sequence[CustomerRecord], text: str, *, region: str, limit: int = 10) -> Sequence[CustomerMatch]:
    """Return customers that fit, best first, each once with its best field; equal ones by name, then reference.

    `region` (ISO 3166-1 alpha-2) is where a telephone number without country code is dialled. The name, reference and
    VAT number of a customer that was merged find the one it was merged into.
    """
    wanted = _Wanted.of(text, region)
    if wanted is None:
        return ()
    survivors = {record.id: record for record in records if record.merged_into is None}
    searched = [_searched(record) for record in records]
    haystack = Haystack(findable(customer) for customer in searched)
    best: dict[int, CustomerMatch] = {}

    def keep(place: int, found: _Found) -> None:
        left = records[place].id if records[place].merged_into is None else surviving(records, records[place].id)
        if found is None or left is None:
            return
        score, field, value = found
        score -= 3 * (left != records[place].id)
        if left not in best or score > best[left].score:
            best[left] = CustomerMatch(survivors[left], field, value, score)

    for place in haystack.worth_a_look(wanted):
        keep(place, _best(searched[place], wanted))
    plainer = None if wanted.address else _Wanted.of(" ".join(company_words(text)), region)
    if plainer is not None and plainer.words != wanted.words and not _certain(best.values()):
        for place in haystack.worth_a_look(plainer):  # "Peeters BV" for "Peeters & Zonen"
            fits = _best(searched[place], plainer)
            keep(place, fits and (min(fits[0] - 6, 94), fits[1], fits[2]))
    if not _certain(best.values()):
        for place in haystack.nearly_fitting(plainer or wanted):
            keep(place, _misspelt(searched[place], plainer or wanted))
    if not best and not wanted.digits and not wanted.address:
        heard = replace(plainer or wanted, words=tuple(map(sound, (plainer or wanted).words)))
        for place in Haystack.sounding(map(_named_in, searched)).nearly_fitting(heard):
            keep(place, _misspelt(searched[place], heard, spelled=sound, less=8))
    order = sorted(best.values(), key=lambda m: (-m.score, fold(m.record.customer.name), m.record.customer.reference))
    return order[:limit]


def _searched(record: CustomerRecord) -> Customer:
    customer = record.customer
    if record.merged_into is None:
        return customer
    return Customer(customer.reference, customer.name, vat=customer.vat)  # the survivor has the rest, or had it removed


def _named_in(customer: Customer) -> str:
    return "\n".join((customer.name, *(contact.name for contact in customer.contacts)))


def _certain(matches: Iterable[CustomerMatch]) -> bool:
    return any(match.score >= _CERTAIN for match in matches)


def resolve(records: Sequence[CustomerRecord], text: str, region: str) -> CustomerRecord:
    """Return the one customer that is meant; raises UnclearError (a UsageError) that names near ones by reference.

    A reference decides, then a VAT number, then a whole name, then whatever fits one customer with certainty. The
    reference of a customer that was merged means the one it was merged into.
    """
    by_reference = _referenced(records, text)
    if by_reference is not None:
        return by_reference
    found = find(records, text, region=region, limit=_NEAR + 1)
    for field in ("reference", "vat", "name", ""):
        exact = [match for match in found if match.score >= 95 and field in ("", match.field)]
        if len(exact) == 1:
            return exact[0].record
        if exact:
            break
    best = found[0].score if found else 0
    if best >= _CERTAIN and len([match for match in found if match.score >= _CERTAIN]) == 1:
        return found[0].record
    near = ", ".join(match.record.customer.reference for match in found[:_NEAR])
    if not found:
        raise UnclearError("no such customer", matches=(), hint="look with: archiver customer find TEXT")
    several = len(found) > 1
    more = ", …" if len(found) > _NEAR else ""
    message = f"several customers fit: {near}{more}" if several else f"no such customer; near it is {near}"
    raise UnclearError(message, matches=found[:_NEAR], hint="say which one by its reference")


def _referenced(records: Sequence[CustomerRecord], text: str) -> CustomerRecord | None:
    wanted = " ".join(text.split()).casefold()
    by_id = {record.id: record for record in records}
    alive = [record for record in records if record.merged_into is None]
    for record in (*alive, *records):
        if record.customer.reference.casefold() == wanted:
            left = surviving(records, record.id)
            return by_id.get(left) if left is not None else None
    former = [r for r in alive if wanted in (reference.casefold() for reference in r.customer.former_references)]
    return former[0] if len(former) == 1 else None


class _Wanted(Struct, frozen=True):
    """What was typed, in the forms that it is compared in; an empty one is no such thing."""

    plain: str  # folded, spaces collapsed
    words: tuple[str, ...]
    squeezed: str  # letters and digits only, upper case
    digits: str  # all digits in it but zeros at the beginning
    number: str  # digits of a telephone number, without what is dialled before
    international: str  # the same with its country, where that was typed or follows from the region
    domain: str
    address: str
    parents: tuple[str, ...]  # the domain and those it lies below

    @classmethod
    def of(cls, text: str, region: str) -> _Wanted | None:
        plain = " ".join(fold(text).split())
        words = tuple(_words(plain))
        if not words:
            return None
        bare = (plain.rpartition("<")[2].rstrip("> ") if "<" in plain else plain).removeprefix("mailto:")
        address = bare if "@" in bare and " " not in bare else ""
        host = re.sub(r"^[a-z]+://", "", bare)
        host = re.split(r"[/?#:]", host, maxsplit=1)[0].rpartition("@")[2].removeprefix("www.").strip(".")
        number, international = _dialled(" ".join(text.split()), region)
        domain = _ascii_domain(host) if "." in host and " " not in host else ""
        labels = domain.split(".")
        return cls(
            plain=plain,
            words=words,
            squeezed=_ONLY_ALNUM.sub("", plain.upper()),
            digits="".join(c for c in plain if c.isdigit()).lstrip("0"),
            number=number,
            international=international,
            domain=domain,
            address=address,
            parents=tuple(".".join(labels[start:]) for start in range(len(labels) - 1)),
        )


def _ascii_domain(host: str) -> str:
    if host.isascii():
        return host
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        return host


def _dialled(text: str, region: str) -> tuple[str, str]:
    """Return the digits of a telephone number as kept numbers end, and the whole of it where that is known."""
    text = _EXTENSION.sub("", re.sub(r"^tel:", "", text, flags=re.IGNORECASE))
    if not _NUMBER.match(text):
        return "", ""
    abroad = text.lstrip("( ").startswith(("+", "00"))
    digits = "".join(c for c in text.replace("(0)", "") if c.isdigit())
    if abroad:
        digits = digits.removeprefix("00") if not text.lstrip("( ").startswith("+") else digits
        return (digits, digits) if len(digits) >= _FIRST_DIGITS + 1 else ("", "")
    national = digits.removeprefix("0")
    code = _CALLING_CODES.get(region, "")
    whole = code + (digits if region == "IT" else national) if code else ""
    if len(national) < 5 or len(digits) < 6:
        # A number that has only begun: with its zero, or a postal code and what not would be taken for one.
        return (whole, whole) if digits.startswith("0") and len(digits) >= _FIRST_DIGITS else ("", "")
    return national, whole


def _words(folded: str) -> Iterator[str]:
    yield from "".join(c if c.isalnum() else " " for c in folded).split()


_Found = tuple[int, str, str] | None
"""A score, the field and its value."""


def _best(customer: Customer, wanted: _Wanted) -> _Found:
    """Try the fields from the most to the least telling."""
    best: _Found = None
    for attempt in _ATTEMPTS:
        found = attempt(customer, wanted)
        if found is not None and (best is None or found[0] > best[0]):
            best = found
            if best[0] >= 95:
                break
    return best


def _reference(customer: Customer, wanted: _Wanted) -> _Found:
    for reference, exact in ((customer.reference, 100), *((former, 97) for former in customer.former_references)):
        plain = fold(reference)
        if plain == wanted.plain:
            return exact, "reference", reference
        squeezed = _ONLY_ALNUM.sub("", plain.upper())
        if squeezed == wanted.squeezed:
            return exact - 4, "reference", reference
        if len(wanted.squeezed) >= 2 and squeezed.startswith(wanted.squeezed):
            return 60, "reference", reference
    return None


def _vat(customer: Customer, wanted: _Wanted) -> _Found:
    vat, typed = customer.vat, wanted.squeezed
    if vat is None or sum(c.isdigit() for c in typed) < 6:
        return None
    typed = f"EL{typed[2:]}" if typed.startswith("GR") else re.sub(r"^(?:BTW|TVA|VAT|MWST|UST)(?:NR|ID)*", "", typed)
    if typed == vat:
        return 99, "vat", vat
    country, number = vat[:2], vat[2:]
    bare = typed.removeprefix(country)
    if number == bare or number.lstrip("0") == bare.lstrip("0"):
        return 98, "vat", vat
    return (70, "vat", vat) if bare in number else None


def _phone(customer: Customer, wanted: _Wanted) -> _Found:
    if not wanted.number:
        return None
    best: _Found = None
    for contact in customer.contacts:
        for field, numbers in (("phone", contact.phones), ("mobile", contact.mobiles)):
            for kept in numbers:
                digits = kept[1:].partition(";")[0]
                if wanted.number not in digits:
                    continue
                if wanted.number == wanted.international and not digits.startswith(wanted.international):
                    continue
                if digits == wanted.international:
                    return 98, field, kept
                score = 72 if digits.endswith(wanted.number) else 62
                if wanted.international and digits.startswith(wanted.international):
                    score = 74
                if score == 72 and len(wanted.number) >= 8 and len(digits) - len(wanted.number) <= 3:
                    score = 96  # all of it but the country
                if best is None or score > best[0]:
                    best = score, field, kept
    return best


def _licence(customer: Customer, wanted: _Wanted) -> _Found:
    typed = wanted.squeezed
    if len(typed) < 4:
        return None
    for licence in customer.licences:
        squeezed = _ONLY_ALNUM.sub("", fold(licence).upper())
        if squeezed == typed:
            return 97, "licence", licence
        if typed in squeezed and any(c.isdigit() for c in typed):
            return 68, "licence", licence
    return None


def _email(customer: Customer, wanted: _Wanted) -> _Found:
    typed = wanted.address or (wanted.plain if " " not in wanted.plain and len(wanted.plain) >= 3 else "")
    if not typed:
        return None
    for email in customer.emails:
        if fold(email) == wanted.address:  # as it was typed, which is folded: "josé@…" is an address, too (RFC 6532)
            return 98, "email", email
    for email in customer.emails:
        if typed in fold(email):
            return (82 if wanted.address else 58), "email", email
    return None


def _domain(customer: Customer, wanted: _Wanted) -> _Found:
    typed = wanted.domain
    for domain in customer.domains:
        if typed and typed == domain:
            return (90 if wanted.address and not wanted.address.startswith("@") else 97), "domain", domain
        if typed and typed.endswith(f".{domain}"):
            return 84, "domain", domain
    if typed and not wanted.address:
        for email in customer.emails:
            if email.rpartition("@")[2] == typed:
                return 78, "email", email
    part = wanted.plain if " " not in wanted.plain and len(wanted.plain) >= 3 else ""
    return next(((59, "domain", domain) for domain in customer.domains if part and part in domain), None)


def _name(customer: Customer, wanted: _Wanted) -> _Found:
    name = fold(customer.name)
    if name == wanted.plain:
        return 96, "name", customer.name
    found = _named("name", customer.name, name, wanted, 90)
    if found is None and "." in name:
        found = _named("name", customer.name, name.replace(".", ""), wanted, 90)  # "A.B.C. Consult" for "abc"
    return found


def _contact(customer: Customer, wanted: _Wanted) -> _Found:
    best: _Found = None
    for contact in customer.contacts:
        found = _named("contact", contact.name, fold(contact.name), wanted, 86)
        if found is not None and (best is None or found[0] > best[0]):
            best = found
    return best


def _named(field: str, value: str, folded: str, wanted: _Wanted, whole: int) -> _Found:
    """Compare words in any order: whole ones, then beginnings and initials, then parts of words."""
    if wanted.address or not all(word[0] in folded for word in wanted.words):
        return None
    words = list(_words(folded))
    joined, longest = "".join(words), max(len(word) for word in wanted.words)
    fewer = _score_of_words(words, wanted.words, longest)
    if wanted.squeezed.lower() == joined:  # "A.B.C." and "ABC"
        fewer = -4
    elif (fewer is None or fewer > 22) and len(wanted.squeezed) >= 5 and wanted.squeezed.lower() in joined:
        fewer = 22  # "Vandenbroeck" and "Van den Broeck"
    return None if fewer is None else (whole - fewer, field, value)


def _score_of_words(words: Sequence[str], wanted: Sequence[str], longest: int) -> int | None:
    """Return what words that fit less than wholly cost; None when they do not fit."""
    if _covers(words, wanted, str.__eq__):
        return int(len(words) > len(wanted))
    if longest >= 2 and _covers(words, wanted, str.startswith):
        return 12
    if longest >= 3 and _covers(words, wanted, str.__contains__):
        return 26
    return None


def _covers(words: Sequence[str], wanted: Sequence[str], fits: Callable[[str, str], bool]) -> bool:
    """Tell whether each wanted word has a word of its own; the longest choose first."""
    free = list(words)
    for want in sorted(wanted, key=len, reverse=True):
        for word in free:
            if fits(word, want):
                free.remove(word)
                break
        else:
            return False
    return True


def _place(customer: Customer, wanted: _Wanted) -> _Found:
    if customer.postal_code and fold(customer.postal_code).replace(" ", "") == wanted.plain.replace(" ", ""):
        return 50, "postal_code", customer.postal_code
    if customer.city and customer.city.isascii() and wanted.plain[0] not in customer.city.lower():
        return None
    city = fold(customer.city)
    if city and (city == wanted.plain or city.startswith(wanted.plain)):
        return 48, "city", customer.city
    return None


def _everything(customer: Customer, wanted: _Wanted) -> _Found:
    """Several words, each somewhere: a name and a city, a person and a company, a street."""
    if len(wanted.words) < 2 and len(wanted.plain) < 4:
        return None
    texts = (customer.name, *(c.name for c in customer.contacts), customer.city, customer.postal_code, customer.address)
    folded = fold(" ".join(texts))
    if not all(word in folded for word in wanted.words):
        return None
    words = list(_words(folded))
    if not _covers(words, wanted.words, str.startswith):
        return None
    if len(wanted.words) > 1:
        return 70, "name", customer.name
    return 40, "address", customer.address.replace("\n", ", ")


_ATTEMPTS: tuple[Callable[[Customer, _Wanted], _Found], ...] = (
    _reference, _vat, _phone, _licence, _email, _domain, _name, _contact, _place, _everything,
)  # fmt: skip


def _misspelt(customer: Customer, wanted: _Wanted, *, spelled: Callable[[str], str] = str, less: int = 0) -> _Found:
    """Look for every word, with at most one letter wrong, in the name and in those of the contacts.

    `spelled` is how the wanted words are spelled already; `less` is what such a find scores less.
    """
    for field, name in (("name", customer.name), *(("contact", contact.name) for contact in customer.contacts)):
        if name and _covers([spelled(word) for word in _words(fold(name))], wanted.words, _nearly):
            return (54 if field == "name" else 52) - less, field, name
    return None


def _nearly(word: str, want: str) -> bool:
    if len(want) < FUZZY_FROM:
        return word.startswith(want)
    return abs(len(word) - len(want)) <= 1 and one_edit(word, want)
