"""A record is made canonical, or refused with everything that is wrong with it; no message repeats a value."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from archiver.core.customers.countries import codes, country_code
from archiver.core.customers.records import (
    RecordProblem,
    RecordProblems,
    canonical_country,
    canonical_domain,
    canonical_email,
    canonical_licence,
    canonical_phone,
    canonical_postal_code,
    canonical_reference,
    canonical_vat,
    checked,
    show_phone,
    show_vat,
)
from archiver.errors import UsageError
from archiver.model.customer import Contact, Customer
from archiver.model.identity import Identity
from tests.twins.records import make_be_vat

US = Identity(domains=("ours.example",), addresses=("support@partner.example",))
VAT = make_be_vat(1234)
DIGITS = VAT[2:]
DOTTED = f"{DIGITS[:4]}.{DIGITS[4:7]}.{DIGITS[7:]}"


def with_check_digit(digits: str, weights: tuple[int, ...], modulus: int) -> int:
    return sum(int(d) * w for d, w in zip(digits, weights, strict=True)) % modulus


def french(siren: str) -> str:
    return f"FR{(12 + 3 * (int(siren) % 97)) % 97:02d}{siren}"


def luxembourg(number: str) -> str:
    return f"LU{number}{int(number) % 89:02d}"


def swiss(number: str) -> str:
    check = 11 - with_check_digit(number, (5, 4, 3, 2, 7, 6, 5, 4), 11)
    return f"CHE{number}{check % 11}"


def norwegian(number: str) -> str:
    check = 11 - with_check_digit(number, (3, 2, 7, 6, 5, 4, 3, 2), 11)
    return f"NO{number}{check % 11}"


def greek(number: str) -> str:
    value = 0
    for digit in number:
        value = value * 2 + int(digit)
    return f"EL{number}{value * 2 % 11 % 10}"


SIREN = "303265045"  # of the kind that INSEE prints in its own documentation; its check digit is Luhn's
SWISS, NORWEGIAN, GREEK = swiss("10015521"), norwegian("99552582"), greek("09425921")


@pytest.mark.parametrize(
    ("typed", "country", "kept"),
    [
        (VAT, "BE", VAT),
        (DIGITS, "BE", VAT),
        (DOTTED, "BE", VAT),
        (f"BE {DOTTED}", "NL", VAT),
        (f"be-{DOTTED}", "BE", VAT),
        (f"BTW: BE {DOTTED}", "BE", VAT),
        (f"TVA {DIGITS}", "BE", VAT),
        (f"VAT no. BE {DIGITS}", "BE", VAT),
        (f"Ondernemingsnummer {DOTTED}", "BE", VAT),
        (DIGITS.lstrip("0"), "BE", VAT),  # a spreadsheet took the zero for nothing
        (f"BE{DIGITS.lstrip('0')}", "BE", VAT),
        (f"  {DIGITS[:4]} {DIGITS[4:7]} {DIGITS[7:]}\u00a0", "BE", VAT),
        (french(SIREN), "BE", french(SIREN)),
        (f"FR {french(SIREN)[2:4]} {SIREN[:3]} {SIREN[3:6]} {SIREN[6:]}", "BE", french(SIREN)),
        (french(SIREN)[2:], "FR", french(SIREN)),
        (luxembourg("150274"), "BE", luxembourg("150274")),
        (SWISS, "BE", SWISS),
        (f"CHE-{SWISS[3:6]}.{SWISS[6:9]}.{SWISS[9:]} MWST", "BE", SWISS),
        (f"CHE-{SWISS[3:6]}.{SWISS[6:9]}.{SWISS[9:]} TVA", "BE", SWISS),
        (f"{NORWEGIAN[:5]} {NORWEGIAN[5:8]} {NORWEGIAN[8:]} MVA", "BE", NORWEGIAN),
        (NORWEGIAN[2:], "NO", NORWEGIAN),
        (GREEK, "BE", GREEK),
        (f"GR{GREEK[2:]}", "BE", GREEK),
        (GREEK[2:], "GR", GREEK),
    ],
)
def test_a_vat_number_is_kept_with_its_country_and_without_punctuation(typed: str, country: str, kept: str) -> None:
    assert canonical_vat(typed, country) == kept


@pytest.mark.parametrize(
    ("typed", "country", "why"),
    [
        (f"BE{DIGITS[:9]}{(int(DIGITS[9]) + 1) % 10}", "BE", "check digits"),
        (DIGITS[:6], "BE", "digits for BE"),
        ("BTW-plichtig", "BE", "has digits"),
        ("", "BE", "has digits"),
        ("FR12", "BE", "FR"),
        ("ZZ123456789", "", "no country whose numbers"),
        ("12345678", "US", "cannot be checked"),
    ],
)
def test_a_vat_number_that_is_none_is_refused_with_the_reason(typed: str, country: str, why: str) -> None:
    with pytest.raises(RecordProblem, match=why) as problem:
        canonical_vat(typed, country)
    assert problem.value.field == "vat"
    assert not typed or typed not in str(problem.value)
    assert not typed or typed[2:] not in str(problem.value) or len(typed) < 5


@pytest.mark.parametrize(
    ("kept", "shown"),
    [
        (VAT, f"BE {DOTTED}"),
        (SWISS, f"CHE-{SWISS[3:6]}.{SWISS[6:9]}.{SWISS[9:]}"),
        ("NL004495445B01", "NL 004495445B01"),
        (GREEK, f"EL {GREEK[2:]}"),
    ],
)
def test_a_vat_number_is_shown_as_people_write_it_and_can_be_typed_so(kept: str, shown: str) -> None:
    assert show_vat(kept) == shown
    if not kept.startswith("NL"):
        assert canonical_vat(shown, "BE") == kept


@pytest.mark.parametrize(
    ("typed", "region", "kept"),
    [
        ("+32471123456", "BE", "+32471123456"),
        ("0471/12.34.56", "BE", "+32471123456"),
        ("0471 12 34 56", "BE", "+32471123456"),
        ("0032 471 12 34 56", "BE", "+32471123456"),
        ("+32 (0)471 12 34 56", "BE", "+32471123456"),
        ("(+32) 471-12-34-56", "NL", "+32471123456"),
        ("471123456", "BE", "+32471123456"),  # as a spreadsheet leaves it
        ("32471123456", "BE", "+32471123456"),
        ("tel:+32471123456", "BE", "+32471123456"),
        ("GSM: 0471 12 34 56", "BE", "+32471123456"),
        ("Tél. 09 255 01 99", "BE", "+3292550199"),
        ("０４７１ １２ ３４ ５６", "BE", "+32471123456"),
        ("09 255 01 99 ext. 12", "BE", "+3292550199;ext=12"),
        ("09 255 01 99 tst. 12", "BE", "+3292550199;ext=12"),
        ("09 255 01 99 (poste 12)", "BE", "+3292550199;ext=12"),
        ("+49 30 123456 Durchwahl 7", "BE", "+4930123456;ext=7"),
        ("09 255 01 99 x12", "BE", "+3292550199;ext=12"),
        ("+3292550199;ext=12", "BE", "+3292550199;ext=12"),
        ("020 794 0800", "NL", "+31207940800"),
        ("06 12345678", "IT", "+390612345678"),
        ("02 000 00 00", "BE", "+3220000000"),  # not assigned to anybody, and possible
    ],
)
def test_a_telephone_number_is_kept_in_e164(typed: str, region: str, kept: str) -> None:
    assert canonical_phone(typed, region) == kept
    assert canonical_phone(kept, "US") == kept


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("1234", "too short"),
        ("", "not a telephone number"),
        ("bel Jan", "letters"),
        ("0471 12 34 56 of 09 255 01 99", "letters"),
        ("0471 12 34 56 / 09 255 01 99", "too long"),
        ("+999 123 456", "country code"),
        ("+32 471 12", "too short"),
        ("0800-BLOEMEN", "letters"),
        ("-", "not a telephone number"),
    ],
)
def test_a_number_that_nobody_can_call_is_refused_with_the_reason(typed: str, why: str) -> None:
    with pytest.raises(RecordProblem, match=why) as problem:
        canonical_phone(typed, "BE")
    assert problem.value.hint


@pytest.mark.parametrize(
    ("kept", "region", "shown"),
    [
        ("+32471123456", "BE", "0471 12 34 56"),
        ("+32471123456", "NL", "+32 471 12 34 56"),
        ("+3292550199;ext=12", "BE", "09 255 01 99 ext. 12"),
        ("+3240000011", "BE", "+32 40000011"),
        ("no number", "BE", "no number"),
    ],
)
def test_a_number_is_shown_as_it_is_dialled_from_here(kept: str, region: str, shown: str) -> None:
    assert show_phone(kept, region) == shown


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Jan.Peeters@Acme.BE", "jan.peeters@acme.be"),
        ("Jan Peeters <jan@acme.be>", "jan@acme.be"),
        ("mailto:jan@acme.be", "jan@acme.be"),
        (" jan+boek@acme.be ", "jan+boek@acme.be"),
        ("jan@café.be", "jan@xn--caf-dma.be"),
        ("o'neill@acme.be", "o'neill@acme.be"),
        ("müller@acme.be", "müller@acme.be"),
    ],
)
def test_an_address_is_kept_in_lower_case_with_its_domain_in_ascii(typed: str, kept: str) -> None:
    assert canonical_email(typed) == kept


@pytest.mark.parametrize(
    "typed",
    ["jan", "jan@", "@acme.be", "jan peeters@acme.be", "jan@localhost", "jan@1.2.3.4", "jan..p@acme.be", "jan@acme..be",
     "a@b.be;c@d.be", "jan@-acme.be", f"{'x' * 65}@acme.be", "", "j|p@acme.be@"],
)  # fmt: skip
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(RecordProblem):
        canonical_email(typed)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Acme.BE", "acme.be"),
        ("www.acme.be", "acme.be"),
        ("https://www.acme.be/contact?x=1", "acme.be"),
        ("jan@acme.be", "acme.be"),
        ("@acme.be", "acme.be"),
        ("*.acme.be", "acme.be"),
        ("shop.acme.be:8080", "shop.acme.be"),
        ("acme.co.uk", "acme.co.uk"),
        ("café.be", "xn--caf-dma.be"),
        ("www.be", "www.be"),
    ],
)
def test_a_domain_is_read_out_of_whatever_holds_it(typed: str, kept: str) -> None:
    assert canonical_domain(typed, identity=US) == kept


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("co.uk", "public suffix"),
        ("gmail.com", "provider"),
        ("skynet.be", "provider"),
        ("portal.example.be", "provider"),
        ("ours.example", "our own"),
        ("mail.ours.example", "our own"),
        ("acme", "not a domain"),
        ("acme be", "not a domain"),
    ],
)
def test_a_domain_that_is_not_one_companys_is_refused_with_the_reason(typed: str, why: str) -> None:
    with pytest.raises(RecordProblem, match=why):
        canonical_domain(typed, identity=US, shared_domains=("portal.example.be",))


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("BE", "BE"), ("be", "BE"), ("België", "BE"), ("Belgique", "BE"), ("BELGIEN", "BE"), ("Belgium", "BE"),
        ("B", "BE"),
        ("Nederland", "NL"), ("Pays-Bas", "NL"), ("Niederlande", "NL"), ("the Netherlands", "NL"), ("Frankrijk", "FR"),
        ("Deutschland", "DE"), ("Duitsland", "DE"), ("Allemagne", "DE"), ("Grand-Duché de Luxembourg", "LU"),
        ("GB", "GB"),
        ("Great Britain", "GB"), ("Royaume-Uni", "GB"), ("Österreich", "AT"), ("Schweiz", "CH"), ("EL", "GR"),
        ("USA", "US"), ("UK", "GB"),
        ("JP", "JP"), ("NLD", "NL"), ("", ""),
    ],
)  # fmt: skip
def test_a_country_is_known_by_code_and_by_name_in_four_languages(typed: str, code: str) -> None:
    assert canonical_country(typed) == code


def test_a_country_that_is_none_is_refused_and_every_code_is_its_own() -> None:
    with pytest.raises(RecordProblem, match="country"):
        canonical_country("Atlantis")
    assert {country_code(code) for code in codes()} == codes()
    assert len(codes()) == 250


@pytest.mark.parametrize(
    ("typed", "country", "kept"),
    [
        ("9000", "BE", "9000"), ("B-9000", "BE", "9000"), ("1234ab", "NL", "1234 AB"), ("NL-1234 AB", "NL", "1234 AB"),
        ("1067", "DE", "01067"), ("sw1a 1aa", "GB", "SW1A 1AA"), ("", "DE", ""),
    ],
)  # fmt: skip
def test_a_postal_code_is_tidied(typed: str, country: str, kept: str) -> None:
    assert canonical_postal_code(typed, country) == kept


@pytest.mark.parametrize("typed", ["", "  ", "-K1", "a|b", "…", "x" * 65])
def test_a_reference_that_could_not_be_typed_again_is_refused(typed: str) -> None:
    with pytest.raises(RecordProblem):
        canonical_reference(typed)


def test_licences_and_references_lose_only_space() -> None:
    assert canonical_licence("  ABCD  1234\t-X ") == "ABCD 1234 -X"
    assert canonical_reference(" K  1001 ") == "K 1001"
    with pytest.raises(RecordProblem):
        canonical_licence("A|B")


WHOLE = Customer(
    reference=" K1001 ",
    name="  Peeters   & Zonen ",
    address="Kerkstraat 1 \r\n\r\n bus 2",
    postal_code="b-9000",
    city=" Gent ",
    country="België",
    vat=DOTTED,
    domains=("WWW.Peeters.example.com", "peeters.example.com", ""),
    licences=("AB  12", "AB 12"),
    contacts=(
        Contact(" Jan  Peeters ", ("J@Peeters.example.com", "j@peeters.example.com"), ("092550199",), ("0471123456",)),
        Contact(),
        Contact("Jan Peeters", ("j@peeters.example.com",), ("+3292550199",), ("+32471123456",)),
    ),
    notes=" first \r\nsecond\t\x00\n\n",
)  # fmt: skip


def test_a_record_is_made_canonical_and_what_is_there_twice_is_there_once() -> None:
    jan = Contact("Jan Peeters", ("j@peeters.example.com",), ("+3292550199",), ("+32471123456",))
    assert checked(WHOLE, identity=US, region="NL") == Customer(
        reference="K1001",
        name="Peeters & Zonen",
        address="Kerkstraat 1\nbus 2",
        postal_code="9000",
        city="Gent",
        country="BE",
        vat=VAT,
        domains=("peeters.example.com",),
        licences=("AB 12",),
        contacts=(jan,),
        notes="first\nsecond",
    )


def test_numbers_are_dialled_in_the_customers_own_country_first() -> None:
    dutch = replace(WHOLE, country="Nederland", vat=None, contacts=(Contact("P", (), ("020 794 0800",)),))
    assert checked(dutch, identity=US, region="BE").numbers == ("+31207940800",)


def test_everything_that_is_wrong_is_said_at_once_and_nothing_of_it_is_repeated() -> None:
    wrong = Customer(
        reference="",
        name=" ",
        country="Atlantis",
        vat="0123.456.700",
        domains=("gmail.com", "fine.example.com"),
        contacts=(Contact("An", ("an@fine.example.com",)), Contact("Bo", ("nothing", "bo@ours.example"), ("77",))),
    )
    with pytest.raises(RecordProblems) as caught:
        checked(wrong, identity=US, region="BE")
    error = caught.value
    assert isinstance(error, UsageError)
    assert [(p.field, p.contact, p.place) for p in error.wrong] == [
        ("reference", None, 0),
        ("name", None, 0),
        ("country", None, 0),
        ("vat", None, 0),
        ("domains", None, 0),
        ("email", 1, 0),
        ("email", 1, 1),
        ("phone", 1, 0),
    ]
    assert len(error.problems) == 8
    assert "e-mail of contact 2: it is an address of our own" in error.problems
    told = "\n".join((str(error), *error.problems, error.hint or ""))
    for value in ("Atlantis", "0123.456.700", "gmail.com", "nothing", "bo@", "77"):
        assert value not in told


def test_one_problem_is_the_message_itself() -> None:
    with pytest.raises(RecordProblems, match=r"^name: it is missing$") as caught:
        checked(Customer("K1", ""), identity=US, region="BE")
    assert caught.value.problems == ()
    assert caught.value.hint


@pytest.mark.parametrize("address", ["an@ours.example", "an@mail.ours.example", "support+x@partner.example"])
def test_an_address_of_our_own_is_no_contact(address: str) -> None:
    with pytest.raises(RecordProblems, match="our own"):
        checked(Customer("K1", "A", contacts=(Contact("x", (address,)),)), identity=US, region="BE")


def test_a_freemail_address_is_a_contact_like_any_other() -> None:
    some = checked(Customer("K1", "A", contacts=(Contact("x", ("x@gmail.com",)),)), identity=US, region="BE")
    assert some.emails == ("x@gmail.com",)


@pytest.mark.parametrize("canonical", [canonical_email, canonical_licence, canonical_domain, canonical_reference])
@pytest.mark.parametrize("hostile", ["\x00", "\x1b[31mK", "a" * 100_000, "@" * 5_000, "é" * 5_000, "." * 5_000])
def test_hostile_text_is_a_problem_at_most(canonical: Callable[[str], str], hostile: str) -> None:
    try:
        made = canonical(hostile)
    except RecordProblem:
        return
    assert made.isprintable()
