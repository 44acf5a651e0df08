"""A customer's record: checked as a whole, and made canonical, with everything that is wrong with it said at once.

Knows what every field must look like; each identifier by itself is `archiver.core.customers.identifiers`. Whether
another customer has the same address or number is not asked here: that is allowed, and linking says what comes of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator

from msgspec.structs import replace

from archiver.core.customers.countries import codes, country_code
from archiver.core.customers.identifiers import (
    RecordProblem,
    canonical_domain,
    canonical_email,
    canonical_licence,
    canonical_phone,
    canonical_vat,
    one_line,
    owns_address,
    several_lines,
    show_phone,
    show_vat,
)
from archiver.errors import UsageError
from archiver.model.customer import Contact, Customer
from archiver.model.identity import Identity

__all__ = [
    "LABELS",
    "RecordProblem",
    "RecordProblems",
    "canonical_country",
    "canonical_domain",
    "canonical_email",
    "canonical_licence",
    "canonical_phone",
    "canonical_postal_code",
    "canonical_reference",
    "canonical_vat",
    "checked",
    "examined",
    "show_phone",
    "show_vat",
    "where",
]

LABELS = {
    "reference": "reference",
    "name": "name",
    "address": "address",
    "postal_code": "postal code",
    "city": "city",
    "country": "country",
    "vat": "VAT number",
    "domains": "domain",
    "licences": "licence",
    "contact": "contact",
    "email": "e-mail",
    "phone": "phone",
    "mobile": "mobile",
    "notes": "notes",
}
"""How the fields of a record are called before people."""

_POSTAL_PREFIX = re.compile(r"^[A-Z]{1,3}-\s*(?=[0-9])")


class RecordProblems(UsageError):  # noqa: N818 - named after what it gathers
    """A customer's record cannot be kept: `wrong` has all that is wrong with it, `problems` the same in words."""

    def __init__(self, wrong: tuple[RecordProblem, ...]) -> None:
        lines = tuple(f"{where(problem)}: {problem.message}" for problem in wrong)
        hints = dict.fromkeys(problem.hint for problem in wrong if problem.hint)
        message = lines[0] if len(lines) == 1 else f"{len(lines)} things are wrong with the customer's record"
        super().__init__(message, problems=lines[1:] and lines, hint="; ".join(hints) or None)
        self.wrong = wrong


def checked(customer: Customer, *, identity: Identity, region: str, shared_domains: Collection[str] = ()) -> Customer:
    """Return the record in canonical form; raises RecordProblems (a UsageError) with all that is wrong with it.

    `region` (ISO 3166-1 alpha-2) is the country of numbers that name none, where the record has no country itself.
    """
    canonical, problems = examined(customer, identity=identity, region=region, shared_domains=shared_domains)
    if problems:
        raise RecordProblems(problems)
    return canonical


def examined(
    customer: Customer, *, identity: Identity | None, region: str, shared_domains: Collection[str] = ()
) -> tuple[Customer, tuple[RecordProblem, ...]]:
    """Return the record, canonical where it can be, and everything that is wrong with it, in the order of the fields.

    What is wrong is left out of the record. Without `identity`, own addresses and domains are not noticed.
    """
    problems: list[RecordProblem] = []
    attempt = _Attempt(problems)

    def domain(text: str) -> str:
        return canonical_domain(text, identity=identity, shared_domains=shared_domains)

    reference = attempt("reference", canonical_reference, customer.reference) or ""
    name = _said(customer.name)
    if not name:
        problems.append(RecordProblem("name", "it is missing", hint="give the name of the company"))
    country = attempt("country", canonical_country, customer.country) or ""
    home = country or region
    vat = attempt("vat", lambda text: canonical_vat(text, home), customer.vat) if customer.vat else None
    domains = attempt.each("domains", domain, customer.domains)
    contacts = tuple(_contacts(customer.contacts, attempt, home, identity))
    notes = several_lines(customer.notes)
    canonical = replace(
        customer,
        reference=reference,
        name=name,
        address="\n".join(filter(None, map(_said, several_lines(customer.address).split("\n")))),
        postal_code=canonical_postal_code(customer.postal_code, home),
        city=_said(customer.city),
        country=country,
        vat=vat or None,
        domains=domains,
        licences=attempt.each("licences", canonical_licence, customer.licences),
        contacts=tuple(dict.fromkeys(contacts)),
        notes="" if notes == "-" else notes,
        consents=tuple(dict.fromkeys(customer.consents)),
        former_references=tuple(dict.fromkeys(customer.former_references)),
    )
    return canonical, tuple(problems)


class _Attempt:
    """Makes values canonical and gathers what is wrong with them."""

    def __init__(self, problems: list[RecordProblem]) -> None:
        self._problems = problems

    def __call__(
        self, field: str, canonical: Callable[[str], str], text: str, contact: int | None = None, place: int = 0
    ) -> str | None:
        try:
            return canonical(text)
        except RecordProblem as problem:
            again = RecordProblem(field, problem.message, hint=problem.hint, contact=contact, place=place)
            self._problems.append(again)
            return None

    def each(
        self, field: str, canonical: Callable[[str], str], texts: Iterable[str], contact: int | None = None
    ) -> tuple[str, ...]:
        made = [self(field, canonical, text, contact, place) for place, text in enumerate(texts) if text.strip()]
        return tuple(dict.fromkeys(value for value in made if value))


def _contacts(
    contacts: Iterable[Contact], attempt: _Attempt, region: str, identity: Identity | None
) -> Iterator[Contact]:
    def foreign(text: str) -> str:
        email = canonical_email(text)
        if identity is not None and owns_address(identity, email):
            raise RecordProblem("email", "it is an address of our own", hint="leave it out: own addresses never link")
        return email

    def number(text: str) -> str:
        return canonical_phone(text, region)

    for index, contact in enumerate(contacts):
        made = Contact(
            _said(contact.name),
            attempt.each("email", foreign, contact.emails, index),
            attempt.each("phone", number, contact.phones, index),
            attempt.each("mobile", number, contact.mobiles, index),
        )
        if made != Contact():
            yield made


def _said(text: str) -> str:
    """Return one line of text; a lone "-" is how people say that there is nothing."""
    plain = one_line(text)
    return "" if plain == "-" else plain


def canonical_reference(text: str) -> str:
    """Return our own number for a customer, trimmed and with its inner spaces collapsed; raises RecordProblem."""
    plain = one_line(text)
    if not plain:
        raise RecordProblem("reference", "it is missing", hint="give your own number for the customer, as K1001")
    if plain.startswith("-") or "|" in plain or not any(c.isalnum() for c in plain):
        raise RecordProblem(
            "reference", "it must have a letter or digit, no |, and not begin with -", hint="write it as K1001"
        )
    if len(plain) > 64:
        raise RecordProblem("reference", "it is longer than 64 characters", hint="write it as K1001")
    return plain


def canonical_country(text: str) -> str:
    """Return ISO 3166-1 alpha-2 for a code or a name (Dutch, French, German, English); raises RecordProblem."""
    plain = one_line(text)
    if not plain:
        return ""
    code = country_code(plain)
    if code is None or code not in codes():
        raise RecordProblem("country", "it is not a country that is known", hint="write its code of two letters, as BE")
    return code


def canonical_postal_code(text: str, country: str) -> str:
    """Return a postal code in capitals, without the country before it, in the form of its country where that is known.

    Zeros that a spreadsheet took off are put back where all codes of a country have five digits.
    """
    plain = _POSTAL_PREFIX.sub("", _said(text).upper())
    if country == "NL" and (parts := re.fullmatch(r"([1-9][0-9]{3})\s?([A-Z]{2})", plain)):
        return f"{parts[1]} {parts[2]}"
    if country in ("DE", "FR", "ES", "IT") and re.fullmatch(r"[0-9]{4}", plain):
        return f"0{plain}"
    return plain


def where(problem: RecordProblem) -> str:
    """Name the field that a problem is about, for people; contacts count from 1."""
    label = LABELS.get(problem.field, problem.field)
    return label if problem.contact is None else f"{label} of contact {problem.contact + 1}"
