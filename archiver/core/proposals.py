"""Mail that fits no customer: grouped by company, with what might be done about each group.

Knows how addresses are grouped, which customers a group looks like, and how a new customer is drafted from it.
Everything here is a proposal that a person decides on: nothing links. A domain that merely is spelled nearly like a
customer's is deliberately not proposed: that is how fraud looks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress

from msgspec import Struct, field
from msgspec.structs import replace

from archiver.core.customer_ports import Correspondence, Correspondent, Correspondents
from archiver.core.customers.naming import company_words, without_legal_form, words
from archiver.core.linking.domains import is_shared, registrable
from archiver.model.address import EmailAddress
from archiver.model.customer import Contact, Customer, CustomerRecord

_PROPOSED = 3
"""Existing customers that are proposed for one group."""

_DRAFTED = 20
"""Contacts of a draft at most: those with most mail."""

_AUTOMATIC = re.compile(
    r"(?:no|do[._-]?not|don'?t|ne[._-]?pas|niet|nicht)[._-]?(?:reply|respond|antwoord\w*|beantwoord\w*|repondre|antworten)"
    r"|(?:mailer|mail)[._-]?daemon|postmaster|bounces?|news|news-?letters?|nieuwsbrief|nieuws|infolettre|mailings?"
    r"|notifications?|notify|alerts?|updates?|digest|listserv|majordomo|marketing|promo(?:tions?)?|automail\w*"
)
"""Local parts that programs write from, as a whole or before a detail."""

# What people put between their name and their company's in a display name.
_BETWEEN = re.compile(r"\s[-–—|/@•·]\s|\s*[|/•·]\s*|\s*[()\[\]]\s*|\s+(?:via|from|at|bij|chez|bei)\s+|,\s+")


class Proposal(Struct, frozen=True):
    """What to do with a group: take it to an existing customer's `record`, or make a new one of `draft`.

    `because` is "domain-like", "name-like", "thread" or "new". A draft has no reference yet: that is the company's own.
    """

    because: str
    record: CustomerRecord | None = None
    draft: Customer | None = None


class Group(Struct, frozen=True):
    """Unlinked mail of one domain, or of one address where the domain is a provider's; `name` is that.

    `newest` is the row of the newest message. With `automatic`, programs write and nobody of ours ever wrote back.
    """

    name: str
    shared: bool
    addresses: tuple[Correspondent, ...]
    incoming: int
    outgoing: int
    other: int
    newest: int
    automatic: bool = False

    @property
    def messages(self) -> int:
        """How much mail there is, in all directions."""
        return self.incoming + self.outgoing + self.other

    def has(self, text: str) -> bool:
        """Tell whether a text is part of the group's name, of an address or of a display name."""
        wanted = text.strip().casefold()
        every = (self.name, *(each.address for each in self.addresses), *(each.name for each in self.addresses))
        return any(wanted in each.casefold() for each in every)


def group_name(address: str, *, shared_domains: Collection[str] = ()) -> tuple[str, bool]:
    """Return the name of the group that an address falls into, and whether it is the address itself.

    That is the registrable domain; the address where its domain is a mail provider's, or none that anybody can own.
    """
    domain = address.rpartition("@")[2].lower() if "@" in address else ""
    owned = registrable(domain) if domain else None
    if owned is None or is_shared(domain, shared_domains) or is_shared(owned, shared_domains):
        return address.lower(), True
    return owned, False


def grouped(
    correspondence: Correspondence,
    *,
    is_ours: Callable[[EmailAddress], bool],
    shared_domains: Collection[str] = (),
) -> tuple[int, Sequence[Group]]:
    """Count unlinked mail and group it, most of it first; where only programs write comes last."""
    domains: dict[str, str | None] = {}

    def name_of(address: str) -> str | None:
        if is_ours(EmailAddress("", address)):
            return None
        domain = address.rpartition("@")[2]
        if domain not in domains:
            name, shared = group_name(address, shared_domains=shared_domains)
            domains[domain] = None if shared else name
        return domains[domain] or address

    total, counted = correspondence.unlinked_groups(name_of)
    owned = set(domains.values())
    made = [_group(each, shared=each.name not in owned) for each in counted]
    return total, sorted(made, key=lambda group: (group.automatic, -group.messages, -group.newest, group.name))


def _group(counted: Correspondents, *, shared: bool) -> Group:
    automatic = max(counted.automatic, sum(each.incoming for each in counted.addresses if is_automatic(each.address)))
    return Group(
        name=counted.name,
        shared=shared,
        addresses=counted.addresses,
        incoming=counted.incoming,
        outgoing=counted.outgoing,
        other=counted.other,
        newest=counted.newest,
        automatic=not counted.outgoing and automatic >= counted.incoming > 0,
    )


def is_automatic(address: str) -> bool:
    """Tell whether a program writes from this address, by its local part."""
    local = address.rpartition("@")[0].lower()
    return bool(_AUTOMATIC.fullmatch(re.split(r"[+=]", local, maxsplit=1)[0]))


# --- proposals -------------------------------------------------------------------------------------------------------


class Book(Struct):
    """Customers by what a group can resemble; made once for a page of groups."""

    records: dict[int, CustomerRecord] = field(default_factory=dict)
    domains: dict[str, list[int]] = field(default_factory=dict)
    labels: dict[str, list[int]] = field(default_factory=dict)
    names: dict[str, list[int]] = field(default_factory=dict)
    first_words: dict[str, list[int]] = field(default_factory=dict)
    initials: dict[str, list[int]] = field(default_factory=dict)
    people: dict[frozenset[str], list[int]] = field(default_factory=dict)
    name_words: dict[int, tuple[str, ...]] = field(default_factory=dict)


def book_of(records: Iterable[CustomerRecord], *, shared_domains: Collection[str] = ()) -> Book:
    """Sort customers for `proposals`; those merged into others are left out."""
    book = Book()
    for record in records:
        if record.merged_into is not None:
            continue
        customer = record.customer
        book.records[record.id] = record
        owned: set[str] = set()
        for domain in (*customer.domains, *(email.rpartition("@")[2] for email in customer.emails)):
            name, shared = group_name(f"x@{domain}", shared_domains=shared_domains)
            if not shared:
                owned.add(name)
        for domain in owned:
            book.domains.setdefault(domain, []).append(record.id)
            book.labels.setdefault(_label(domain), []).append(record.id)
        telling = company_words(customer.name)
        if telling:
            book.name_words[record.id] = telling
            for spelling in {"".join(telling), "".join(without_legal_form(customer.name))}:
                book.names.setdefault(spelling, []).append(record.id)
            book.first_words.setdefault(telling[0], []).append(record.id)
            if len(telling) > 2:
                book.initials.setdefault("".join(word[0] for word in telling), []).append(record.id)
        for contact in customer.contacts:
            if len(person := frozenset(words(contact.name))) > 1:
                book.people.setdefault(person, []).append(record.id)
    return book


def proposals(group: Group, book: Book, *, thread: Sequence[int] = ()) -> tuple[Proposal, ...]:
    """Return what to do with a group, likeliest first; `thread` are customers that others of its threads belong to.

    A new customer comes last, and is not proposed where only programs write.
    """
    scores: dict[int, tuple[float, str]] = {}

    def fits(customers: Iterable[int], score: float, because: str) -> None:
        for customer in customers:
            if customer in book.records and score > scores.get(customer, (0.0, ""))[0]:
                scores[customer] = (score, because)

    if not group.shared:
        label = _label(group.name)
        fits(book.domains.get(group.name, ()), 1.0, "domain-like")
        fits(book.labels.get(label, ()), 0.9, "domain-like")
        _fit_label(label, book, fits)
    for each in group.addresses:
        for piece in _pieces(each.name):
            fits(book.names.get("".join(company_words(piece)), ()), 0.75, "name-like")
            fits(book.people.get(frozenset(words(piece)), ()), 0.7, "name-like")
    fits(thread, 0.85, "thread")
    best = sorted(scores, key=lambda customer: (-scores[customer][0], book.records[customer].customer.name, customer))
    found = tuple(Proposal(scores[customer][1], record=book.records[customer]) for customer in best[:_PROPOSED])
    return found if group.automatic else (*found, Proposal("new", draft=draft(group)))


def _fit_label(label: str, book: Book, fits: Callable[[Iterable[int], float, str], None]) -> None:
    """Compare a domain's label ("peeters-bouw") with names of companies, written together or with dashes."""
    parts = words(label)
    together = "".join(parts)
    trimmed = "".join(company_words(label.replace("-", " ")))
    for spelling in {together, trimmed}:
        fits(book.names.get(spelling, ()), 0.95, "name-like")
    if len(together) > 2:
        fits(book.initials.get(together, ()), 0.5, "name-like")
    if len(together) > 3:
        fits(book.first_words.get(together, ()), 0.6, "name-like")
    for word in {*parts, *_beginnings(together)}:
        for customer in book.first_words.get(word, ()):
            name = book.name_words[customer]
            # All words of the name are in the label, or the label is the name with its end cut off.
            if len(name) > 1 and all(each in together for each in name):
                fits((customer,), 0.8, "name-like")
            elif len(together) > len(word) + 2 and "".join(name).startswith(together):
                fits((customer,), 0.7, "name-like")


def _beginnings(label: str) -> Iterable[str]:
    return (label[:length] for length in range(3, len(label)))


def _label(domain: str) -> str:
    """Return the first label, as people read it where it is internationalised."""
    label = domain.partition(".")[0]
    if label.startswith("xn--"):
        with suppress(UnicodeError):
            return label.encode("ascii").decode("idna")
    return label


def of_threads(groups: Iterable[Group], correspondence: Correspondence) -> Mapping[str, Sequence[int]]:
    """Return, by the name of a group, the customers that the threads of its newest messages belong to.

    The newest of each address speaks for it: looking at all mail of a page of groups would cost seconds.
    """
    names = {each.newest: group.name for group in groups for each in group.addresses}
    found: dict[str, dict[int, None]] = {}
    for row, customers in correspondence.thread_customers(list(names)).items():
        found.setdefault(names[row], {}).update(dict.fromkeys(customers))
    return {name: tuple(customers) for name, customers in found.items()}


# --- a new customer --------------------------------------------------------------------------------------------------


def draft(group: Group) -> Customer:
    """Draft a new customer of a group: a name, the domain unless it is a provider's, and the people it names."""
    company = _company(group)
    domains = () if group.shared else (group.name,)
    people: dict[tuple[str, ...], Contact] = {}
    for each in group.addresses[:_DRAFTED]:
        if is_automatic(each.address) and not group.shared:
            continue
        person = _person(each.name, each.address, "" if group.shared else company)
        if not person and not group.shared:
            continue  # the domain links this address
        known = people.get(words(person))
        if known is None:
            people[words(person)] = Contact(name=person, emails=(each.address,))
        else:
            people[words(person)] = replace(known, emails=(*known.emails, each.address))
    return Customer(reference="", name=company, domains=domains, contacts=tuple(people.values()))


def _company(group: Group) -> str:
    """Return the company's name as its people write it in their display names, else as the domain spells it."""
    if group.shared:
        address = group.addresses[0]
        return _tidy(address.name, address.address) or _spelled(address.address.rpartition("@")[0])
    label = _label(group.name)
    wanted = {"".join(words(label)), "".join(company_words(label.replace("-", " ")))}
    found: dict[str, int] = {}
    for each in group.addresses:
        for piece in _pieces(each.name):
            if "".join(company_words(piece)) in wanted or "".join(words(piece)) in wanted:
                found[piece] = found.get(piece, 0) + each.incoming + each.outgoing + each.other
    spelled = [piece for piece in found if piece != piece.lower()] or list(found)
    if spelled:
        return max(spelled, key=lambda piece: (found[piece], len(piece), piece))
    return _spelled(label)


def _person(name: str, address: str, company: str) -> str:
    """Return the part of a display name that names a person; "" when it names the company, the address or nobody."""
    every = _pieces(name)
    pieces = [piece for piece in every if not company or company_words(piece) != company_words(company)]
    if not pieces or (company and company_words(name) == company_words(company)):
        return ""
    if len(pieces) < len(every):
        return pieces[0]  # the rest is the company
    last_first = re.fullmatch(r"\s*([^\s,]+(?:\s[^\s,]+){0,2}),\s*([^\s,]+(?:\s[^\s,]+)?)\s*", name)
    return _tidy(f"{last_first[2]} {last_first[1]}" if last_first else pieces[0], address)


def _pieces(name: str) -> list[str]:
    """Cut a display name where a company's name is put beside a person's; the whole comes first of all."""
    pieces = [_tidy(piece, "") for piece in _BETWEEN.split(name)]
    whole = _tidy(name, "")
    return [piece for piece in dict.fromkeys([whole, *pieces] if len(pieces) == 1 else [*pieces, whole]) if piece]


def _tidy(name: str, address: str) -> str:
    """Return a display name without quotation marks; "" for one that is an address."""
    name = " ".join(name.strip(" '\"“”„«»\t").split())
    return "" if "@" in name or name.casefold() in {address.casefold(), address.rpartition("@")[0].casefold()} else name


def _spelled(label: str) -> str:
    """Write a label as a name: "peeters-bouw" becomes "Peeters Bouw", "kbc" becomes "KBC"."""
    if len(label) <= 3:
        return label.upper()
    return " ".join(word[:1].upper() + word[1:] for word in re.split(r"[-_.]+", label) if word)
