"""Customers for tests: all made up, with VAT numbers whose check digits are computed here."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import strategies as st

from archiver.model.customer import Consent, Contact, Customer, CustomerRecord

NOON = datetime(2025, 3, 1, 12, tzinfo=UTC)


def make_be_vat(number: int) -> str:
    """Return a Belgian VAT number, canonical: the last two of ten digits are 97 minus the rest modulo 97."""
    first = 1_000_000 + number % 9_000_000
    return f"BE0{first:07d}{97 - first % 97:02d}"


def record(identifier: int, customer: Customer, merged_into: int | None = None) -> CustomerRecord:
    return CustomerRecord(identifier, customer, NOON, NOON, merged_into)


_WORD = st.text("abcdeéïøßzBÇ", min_size=1, max_size=6)
_PROSE = st.text(
    st.one_of(st.sampled_from("abcé =+-@'\"|;,\t\n#0123.:\\"), st.characters(exclude_categories=("Cs", "Cc"))),
    max_size=14,
)
_NAMES = st.builds(lambda a, b: f"{a} {b}", _WORD, _PROSE)
_DOMAINS = st.builds(
    lambda a, tld: f"{a}.{tld}", st.text("abcdxyz0", min_size=2, max_size=7), st.sampled_from(["be", "fr"])
)
_EMAILS = st.builds(lambda a, d: f"{a}@{d}", st.text("abcxyz019_'+=", min_size=1, max_size=6), _DOMAINS)
_PHONES = st.builds(
    lambda n, ext: f"+329{2_000_000 + n:07d}" + (f";ext={ext}" if ext else ""),
    st.integers(0, 5_000_000),
    st.sampled_from(["", "", "7", "123"]),
)
_MOBILES = st.builds(lambda n: f"+3247{1_000_000 + n:07d}", st.integers(0, 5_000_000))
_LICENCES = st.text("ABC019-=+@' 0", min_size=1, max_size=9).map(lambda text: f"{text}7")
_INSTANTS = st.datetimes(datetime(2020, 1, 1), datetime(2026, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds


def _several(values: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(values, max_size=2, unique=True).map(tuple)


contacts = st.builds(
    Contact,
    name=st.one_of(st.just(""), _NAMES),
    emails=_several(_EMAILS),
    phones=_several(_PHONES),
    mobiles=_several(_MOBILES),
)

consents = st.builds(
    Consent,
    given_at=_INSTANTS,
    given_by=_WORD,
    message=st.one_of(st.none(), st.just("ab" * 32)),
    withdrawn_at=st.one_of(st.none(), _INSTANTS),
)

customers = st.builds(
    Customer,
    reference=st.from_regex(r"\A[A-Z][0-9]{1,5}\Z"),
    name=_NAMES,
    address=_PROSE,
    postal_code=st.one_of(st.just(""), st.integers(1000, 9999).map(str)),
    city=st.one_of(st.just(""), _WORD),
    country=st.sampled_from(["", "BE", "NL", "FR"]),
    vat=st.one_of(st.none(), st.integers(0, 9_000_000).map(make_be_vat)),
    domains=_several(_DOMAINS),
    licences=_several(_LICENCES),
    contacts=st.lists(contacts, max_size=2).map(tuple),
    notes=_PROSE,
    consents=st.lists(consents, max_size=1).map(tuple),
)
"""Records as somebody might type them: not all canonical, which `checked` makes them."""
