"""Customers out of vCards: 4.0 and 3.0, and 2.1 as old telephones write it.

Cards of one reference, else of one organisation, make one customer; a person without an organisation is a customer of
their own. A card has no number of ours unless this program wrote it, so the caller says how to number new ones. Fax
numbers, home addresses, photographs, birthdays and the like are passed over: a customer's record has no place for them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from msgspec import Struct, field

from archiver.core.customers.exchange.reading import Entry, Problem, Reading, decoded
from archiver.core.customers.exchange.vcard_lines import Property, properties
from archiver.core.customers.records import RecordProblem, canonical_domain, examined
from archiver.model.customer import Contact, Customer
from archiver.model.identity import Identity

_OWN = "X-ARCHIVER-"
_VAT_NAMES = (f"{_OWN}VAT", "X-VAT", "X-VAT-NUMBER", "X-VATNUMBER", "X-BTW", "X-TVA")
_MOBILE = frozenset(("cell", "mobile", "iphone"))
_NO_CALLS = frozenset(("fax", "pager", "textphone", "modem", "telex"))
_NO_REFERENCE = (
    "the card has no reference of yours: give a prefix to number new customers, or a line X-ARCHIVER-REFERENCE"
)


def read_vcards(
    octets: bytes,
    *,
    region: str,
    identity: Identity | None = None,
    shared_domains: Collection[str] = (),
    reference_prefix: str | None = None,
    references: Mapping[str, str] | None = None,
) -> Reading:
    """Read customers; everything that is wrong is a problem with its line, nothing is raised.

    `region` is the country of numbers that name none. With `identity`, own addresses and domains are problems too.
    `references` are those of customers that exist, by name in lower case: a card of such an organisation updates them.
    `reference_prefix` numbers the others, from the first number that is free.
    """
    text = decoded(octets)
    if isinstance(text, Problem):
        return Reading(problems=(text,))
    problems: list[Problem] = []
    cards = [card for card in _cards(text, problems) if card.kind not in ("group", "location")]
    if not cards and not problems:
        problems.append(Problem(1, "", "there is no vCard in the file: each begins with BEGIN:VCARD"))
    numbered = _Numbering(reference_prefix, references or {})
    companies = _companies(cards)
    for company in companies:
        numbered.reserve(company.reference)
    entries: dict[str, Entry] = {}
    for company in companies:
        reference = company.reference or numbered.reference_for(company.name)
        if reference is None:
            problems.append(Problem(company.cards[0].line, "", _NO_REFERENCE))
        raw = company.customer(reference or "0")  # what is wrong with the rest is told all the same
        customer, wrong = examined(raw, identity=identity, region=region, shared_domains=shared_domains)
        problems.extend(company.problem(problem) for problem in wrong)
        if reference is None or wrong or company.broken:
            continue
        if reference.casefold() in entries:
            problems.append(Problem(company.cards[0].line, "", "another card has this reference already"))
            continue
        entries[reference.casefold()] = Entry(customer, company.cards[0].line, company.fields(customer))
    return Reading(tuple(entries.values()), tuple(sorted(set(problems))))


class _Numbering:
    """Gives references: those of customers of the same name, else new ones with the prefix."""

    def __init__(self, prefix: str | None, references: Mapping[str, str]) -> None:
        self._prefix = prefix
        self._by_name = {_plain(name): reference for name, reference in references.items()}
        self._taken = {reference.casefold() for reference in references.values()}
        self._next = 1

    def reserve(self, reference: str) -> None:
        self._taken.add(reference.casefold())

    def reference_for(self, name: str) -> str | None:
        if known := self._by_name.get(_plain(name)):
            return known
        if self._prefix is None:
            return None
        while f"{self._prefix}{self._next}".casefold() in self._taken:
            self._next += 1
        reference = f"{self._prefix}{self._next}"
        self.reserve(reference)
        return reference


class _Card(Struct):
    """One card's properties by name, in order; `line` is that of its BEGIN."""

    line: int
    named: dict[str, list[Property]] = field(default_factory=dict)
    broken: bool = False

    def all(self, *names: str) -> list[Property]:
        return [found for name in names for found in self.named.get(name, ()) if found.value.strip()]

    def first(self, *names: str) -> str:
        return next((found.text.strip() for found in self.all(*names)), "")

    @property
    def kind(self) -> str:
        """What the card is of (RFC 6350 §6.1.4); Apple's own field says it in cards of 3.0."""
        said = self.first("KIND", "X-ADDRESSBOOKSERVER-KIND").lower()
        if said:
            return said
        company = self.first("X-ABSHOWAS").upper() == "COMPANY" or (self.organisation and not self.person)
        return "org" if company else "individual"

    @property
    def reference(self) -> str:
        return " ".join(self.first(f"{_OWN}REFERENCE").split())

    @property
    def organisation(self) -> str:
        return next((found.components[0].strip() for found in self.all("ORG")), "")

    @property
    def person(self) -> str:
        """The name of who the card is of; empty where the shown name is none (RFC 9554 §4.4) or the organisation's."""
        shown = next((found for found in self.all("FN")), None)
        if shown is not None and shown.derived:
            return ""
        if shown is not None:
            name = shown.text.strip()
            return "" if not self._said_kind and _plain(name) == _plain(self.organisation) else name
        for found in self.all("N"):
            family, given, additional, prefix, suffix = (*found.components, "", "", "", "", "")[:5]
            return " ".join(f"{prefix} {given} {additional} {family} {suffix}".split())
        return self.first("NICKNAME")

    @property
    def _said_kind(self) -> bool:
        return bool(self.all("KIND"))


def _cards(text: str, problems: list[Problem]) -> Iterator[_Card]:
    card: _Card | None = None
    for found in properties(text):
        if isinstance(found, int):
            problems.append(Problem(found, "", "this is no line of a vCard: it has no name and colon"))
            if card is not None:
                card.broken = True
        elif found.name == "BEGIN" and found.value.strip().upper() == "VCARD":
            if card is not None:
                problems.append(Problem(card.line, "", "the card has no END:VCARD"))
                card.broken = True
                yield card
            card = _Card(found.line)
        elif found.name == "END" and found.value.strip().upper() == "VCARD":
            if card is not None:
                yield card
            card = None
        elif card is not None:
            card.named.setdefault(found.name, []).append(found)
    if card is not None:
        problems.append(Problem(card.line, "", "the card has no END:VCARD: the file may be cut off"))
        card.broken = True
        yield card


class _Company(Struct):
    """The cards of one customer; `lines` remembers where each value came from, by field and contact."""

    name: str
    reference: str = ""
    cards: list[_Card] = field(default_factory=list)
    lines: dict[tuple[str, int | None], list[Property]] = field(default_factory=dict)

    @property
    def broken(self) -> bool:
        return any(card.broken for card in self.cards)

    def customer(self, reference: str) -> Customer:
        contacts: list[Contact] = []
        notes: list[str] = []
        for card in self.cards:
            contact = self._contact(card, len(contacts))
            if contact != Contact():
                contacts.append(contact)
            note = "\n".join(found.text for found in card.all("NOTE"))
            if note:
                notes.append(f"{card.person}: {note}" if card.kind != "org" and card.person else note)
        address, postal_code, city, country = self._address()
        return Customer(
            reference=reference,
            name=self.name,
            address=address,
            postal_code=postal_code,
            city=city,
            country=country,
            vat=next(iter(self._values("vat", *_VAT_NAMES)), None),
            domains=(*self._values("domains", f"{_OWN}DOMAIN"), *self._web_domains(contacts)),
            licences=self._values("licences", f"{_OWN}LICENCE"),
            contacts=tuple(contacts),
            notes="\n\n".join(notes),
        )

    def fields(self, customer: Customer) -> frozenset[str]:
        return frozenset(name for name in Customer.__struct_fields__ if getattr(customer, name))

    def problem(self, problem: RecordProblem) -> Problem:
        reason = f"{problem.message} ({problem.hint})" if problem.hint else problem.message
        found = self.lines.get((problem.field, problem.contact), [])
        if problem.place < len(found):
            return Problem(found[problem.place].line, found[problem.place].name, reason)
        return Problem(self.cards[0].line, problem.field, reason)

    def _values(self, name: str, *names: str) -> tuple[str, ...]:
        found = [each for card in self.cards for each in card.all(*names)]
        self.lines[name, None] = found
        return tuple(each.text.strip() for each in found)

    def _contact(self, card: _Card, index: int) -> Contact:
        emails = sorted(card.all("EMAIL"), key=lambda found: found.preference)
        calls = [found for found in card.all("TEL") if not found.types & _NO_CALLS]
        calls.sort(key=lambda found: found.preference)
        mobiles = [found for found in calls if found.types & _MOBILE]
        phones = [found for found in calls if not found.types & _MOBILE]
        self.lines["email", index], self.lines["phone", index], self.lines["mobile", index] = emails, phones, mobiles
        return Contact(
            "" if card.kind == "org" else card.person,
            tuple(found.text for found in emails),
            tuple(found.text for found in phones),
            tuple(found.text for found in mobiles),
        )

    def _address(self) -> tuple[str, str, str, str]:
        """Return the first address that is nobody's home: that of the company's own card if it has one."""
        cards = sorted(self.cards, key=lambda card: card.kind != "org")
        found = next((each for card in cards for each in card.all("ADR") if "home" not in each.types), None)
        if found is None or not any(found.components):
            return "", "", "", ""
        self.lines["country", None] = [found]
        box, extended, street, city, _region, code, country = (*found.components, *("",) * 7)[:7]
        return "\n".join(part for part in (street, extended, box) if part.strip()), code, city, country

    def _web_domains(self, contacts: Sequence[Contact]) -> tuple[str, ...]:
        """Return domains of web pages, as far as somebody's address is there too: a page may be anybody's."""
        theirs = {email.rpartition("@")[2].lower() for contact in contacts for email in contact.emails}
        found = []
        for each in (each for card in self.cards for each in card.all("URL")):
            try:
                domain = canonical_domain(each.text)
            except RecordProblem:
                continue
            if domain in theirs:
                found.append(domain)
        return tuple(found)


def _companies(cards: Sequence[_Card]) -> list[_Company]:
    """Gather cards to customers, in the order of the file."""
    by_key: dict[str, _Company] = {}
    by_name = {_plain(card.organisation): card.reference for card in cards if card.reference and card.organisation}
    for card in cards:
        name = card.organisation or card.person or card.first("FN")
        reference = card.reference or (by_name.get(_plain(name), "") if card.organisation else "")
        key = f"r{reference.casefold()}" if reference else f"o{_plain(name)}"
        if not reference and not card.organisation:
            key = f"c{card.line}"
        company = by_key.setdefault(key, _Company(name, reference))
        company.cards.append(card)
    return list(by_key.values())


def _plain(name: str) -> str:
    return " ".join(name.casefold().split())
