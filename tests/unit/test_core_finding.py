"""A customer is found by whatever a caller says, best match first, and a command takes only a certain one."""

from __future__ import annotations

import subprocess
import sys

import pytest

from archiver.core.customers.finding import UnclearError, find, resolve
from archiver.errors import UsageError
from archiver.model.customer import Contact, Customer
from tests.twins.records import make_be_vat, record

VAT = make_be_vat(28759)
D = VAT[2:]
PEETERS = record(
    1,
    Customer(
        "K1001", "Peeters & Zonen", "Kerkstraat 1", "9000", "Gent", "BE", VAT, ("peeters.example.com",),
        ("ABCD-1234-EFGH",),
        (
            Contact("Jan Peeters", ("jan@peeters.example.com",), ("+3292550199;ext=12",), ("+32471123456",)),
            Contact("Hélène Van den Broeck", ("helene@gmail.com",)),
        ),
    ),
)  # fmt: skip
DUPONT = record(
    2,
    Customer(
        "K1002", "Établissements Dupont-Lefèvre SRL", "Rue Haute 2", "1000", "Bruxelles", "BE", None,
        ("dupont.example.org",),
        ("77/2024.B",), (Contact("Marie Dupont", ("marie@dupont.example.org",), ("+3225550100",)),),
    ),
)  # fmt: skip
STRASSE = record(3, Customer("K1003", "Großhandel Müller GmbH", city="Köln", country="DE", postal_code="50667"))
ABC = record(4, Customer("K1004", "A.B.C. Consult", city="Gent", former_references=("OLD-7",)))
DUTCH = record(5, Customer("K1005", "Jansen Peters BV", contacts=(Contact("Piet", (), (), ("+31471123456",)),)))
OLD = record(
    6,
    Customer("K0900", "Bakkerij De Oude Oven", vat=make_be_vat(5), contacts=(Contact("", ("oud@gone.example.com",)),)),
    merged_into=1,
)
ALL = (PEETERS, DUPONT, STRASSE, ABC, DUTCH, OLD)


COPPIETERS = record(7, Customer("K1007", "Bouwbedrijf Coppieters"))
CALLERS = (PEETERS, DUPONT, record(5, Customer("K1005", "Jansen", contacts=(Contact("", (), (), ("+32471999999",)),))))


@pytest.mark.parametrize(
    ("typed", "references"),
    [
        ("0471", ["K1001", "K1005"]),
        ("047", ["K1001", "K1005"]),
        ("09 2", ["K1001"]),
        ("+32 9 2", ["K1001"]),
        ("0032471", ["K1001", "K1005"]),
        ("02/555", ["K1002"]),
        ("0123", []),  # stands in the middle of a number only
        ("47", []),
    ],
)
def test_the_first_digits_of_a_telephone_number_are_enough(typed: str, references: list[str]) -> None:
    assert sorted(match.record.customer.reference for match in find(CALLERS, typed, region="BE")) == references


@pytest.mark.parametrize(
    ("heard", "reference"),
    [
        ("Kopiters", "K1007"),
        ("bouwbedrijf kopieters", "K1007"),
        ("ben de Broek", None),
        ("Koppenhagen", None),
    ],
)
def test_a_name_is_found_as_it_is_heard(heard: str, reference: str | None) -> None:
    found = find((*ALL, COPPIETERS), heard, region="BE", limit=1)
    assert [match.record.customer.reference for match in found] == ([reference] if reference else [])


def test_what_is_only_heard_alike_is_never_taken_for_who_is_meant() -> None:
    assert find((COPPIETERS,), "Kopiters", region="BE")[0].score < 50
    with pytest.raises(UnclearError):
        resolve((COPPIETERS,), "Kopiters", "BE")


def best(text: str, region: str = "BE") -> tuple[str, str] | None:
    found = find(ALL, text, region=region)
    return (found[0].record.customer.reference, found[0].field) if found else None


@pytest.mark.parametrize(
    ("typed", "reference", "field"),
    [
        ("K1001", "K1001", "reference"),
        ("k1001", "K1001", "reference"),
        ("k-1001", "K1001", "reference"),
        ("old7", "K1004", "reference"),
        ("peeters & zonen", "K1001", "name"),
        ("ZONEN peeters", "K1001", "name"),
        ("zone", "K1001", "name"),
        ("etablissements dupont", "K1002", "name"),
        ("LEFEVRE", "K1002", "name"),
        ("grosshandel", "K1003", "name"),
        ("muller", "K1003", "name"),
        ("MÜLLER", "K1003", "name"),
        ("handel mull", "K1003", "name"),
        ("abc", "K1004", "name"),
        ("ABC consult", "K1004", "name"),
        ("a.b.c.", "K1004", "name"),
        ("helene van den broeck", "K1001", "contact"),
        ("broeck hélène", "K1001", "contact"),
        ("h. broeck", "K1001", "contact"),
        ("marie dupont", "K1002", "contact"),
        ("dupond-lefevre", "K1002", "name"),
        ("zoenn", "K1001", "name"),
        ("znoen", "K1001", "name"),
        ("mueler", "K1003", "name"),
        ("Konsult", "K1004", "name"),
        ("jan@peeters.example.com", "K1001", "email"),
        ("Jan <JAN@peeters.example.com>", "K1001", "email"),
        ("mailto:jan@peeters.example.com", "K1001", "email"),
        ("helene@", "K1001", "email"),
        ("piet@peeters.example.com", "K1001", "domain"),
        ("peeters.example.com", "K1001", "domain"),
        ("@peeters.example.com", "K1001", "domain"),
        ("https://www.peeters.example.com/nl/", "K1001", "domain"),
        ("shop.peeters.example.com", "K1001", "domain"),
        ("dupont.example", "K1002", "domain"),
        (VAT, "K1001", "vat"),
        (D, "K1001", "vat"),
        (f"BE {D[:4]}.{D[4:7]}.{D[7:]}", "K1001", "vat"),
        (f"{D[:4]} {D[4:7]} {D[7:]}", "K1001", "vat"),
        (f"BTW BE {D[:4]}.{D[4:7]}.{D[7:]}", "K1001", "vat"),
        (D.lstrip("0"), "K1001", "vat"),
        (f"be{D.lstrip('0')}", "K1001", "vat"),
        (D[:7], "K1001", "vat"),
        ("+32471123456", "K1001", "mobile"),
        ("0032 471 12 34 56", "K1001", "mobile"),
        ("0471/12.34.56", "K1001", "mobile"),
        ("+32 (0)471 12 34 56", "K1001", "mobile"),
        ("471123456", "K1001", "mobile"),
        ("255 01 99", "K1001", "phone"),
        ("092550199", "K1001", "phone"),
        ("09 255 01 99 ext. 12", "K1001", "phone"),
        ("tel:+3225550100", "K1002", "phone"),
        ("+31 471 123 456", "K1005", "mobile"),
        ("ABCD-1234-EFGH", "K1001", "licence"),
        ("abcd1234efgh", "K1001", "licence"),
        ("ABCD 1234 EFGH", "K1001", "licence"),
        ("1234-EFGH", "K1001", "licence"),
        ("77-2024-b", "K1002", "licence"),
        ("Köln", "K1003", "city"),
        ("koln", "K1003", "city"),
        ("50667", "K1003", "postal_code"),
        ("kerkstraat", "K1001", "address"),
        ("peeters gent", "K1001", "name"),
        ("Peeters BVBA", "K1001", "name"),
        ("Peeters en Zonen", "K1001", "name"),
        ("Konsult B.V.", "K1004", "name"),
        ("vandenbroeck", "K1001", "contact"),
        ("0471 12 3", "K1001", "mobile"),
        ("Bakkerij De Oude", "K1001", "name"),
        (make_be_vat(5), "K1001", "vat"),
        ("K0900", "K1001", "reference"),
        ("jan zonen", "K1001", "name"),
    ],
)
def test_a_customer_is_found_by(typed: str, reference: str, field: str) -> None:
    assert best(typed) == (reference, field)


@pytest.mark.parametrize(
    "typed", ["", "  ", "...", "zzzzzz", "nobody@nowhere.example", "+49 30 999999", "K9999", "\x00", "&"]
)
def test_nothing_is_found_where_nothing_fits(typed: str) -> None:
    assert best(typed) is None


def test_a_number_of_two_countries_is_first_the_one_of_the_region() -> None:
    assert best("0471 12 34 56", "BE") == ("K1001", "mobile")
    assert best("0471 12 34 56", "NL") == ("K1005", "mobile")
    assert len(find(ALL, "0471 12 34 56", region="BE")) == 2


def test_a_name_that_is_right_comes_before_one_with_a_letter_wrong() -> None:
    found = [match.record.customer.reference for match in find(ALL, "peters", region="BE")]
    assert found[0] == "K1005"


def test_the_value_is_what_the_record_says() -> None:
    (match,) = find(ALL, "0471123456", region="BE", limit=1)
    assert match.value == "+32471123456"
    assert find(ALL, "helene@gmail", region="BE")[0].value == "helene@gmail.com"


def test_the_order_is_the_same_however_the_records_come() -> None:
    many = [record(i, Customer(f"R{i}", f"Bakkerij {'ABCDEFGH'[i % 8]}")) for i in range(40)]
    once = [match.record.customer.reference for match in find(many, "bakkerij", region="BE", limit=40)]
    assert once == [m.record.customer.reference for m in find(many[::-1], "bakkerij", region="BE", limit=40)]
    assert len(find(many, "bakkerij", region="BE", limit=5)) == 5


def test_a_customer_that_was_merged_is_not_found_itself_nor_by_contacts_that_the_other_may_have_lost() -> None:
    (match,) = find(ALL, "Bakkerij de oude oven", region="BE")
    assert (match.record, match.value) == (PEETERS, "Bakkerij De Oude Oven")
    assert find(ALL, "oud@gone.example.com", region="BE") == []


@pytest.mark.parametrize(
    ("typed", "reference"),
    [
        ("K1001", "K1001"),
        (" k1002 ", "K1002"),
        ("K0900", "K1001"),
        ("old-7", "K1004"),
        (VAT, "K1001"),
        (f"{D[:4]}.{D[4:7]}.{D[7:]}", "K1001"),
        ("Peeters & Zonen", "K1001"),
        ("peeters zonen", "K1001"),
        ("Zonen", "K1001"),
        ("jan@peeters.example.com", "K1001"),
        ("+3225550100", "K1002"),
        ("grosshandel", "K1003"),
        ("Bakkerij De Oude Oven", "K1001"),
    ],
)
def test_a_command_takes_the_one_customer_that_is_meant(typed: str, reference: str) -> None:
    assert resolve(ALL, typed, "BE").customer.reference == reference


@pytest.mark.parametrize("typed", ["Gent", "peters en zo", "Dupond", "9999999", "", "e"])
def test_a_command_takes_nobody_for_a_likeness(typed: str) -> None:
    with pytest.raises(UsageError) as error:
        resolve(ALL, typed, "BE")
    assert error.value.hint


def test_two_of_one_name_are_told_apart_by_reference_only() -> None:
    twins = [
        record(1, Customer("A1", "Delta")),
        record(2, Customer("A2", "Delta")),
        record(3, Customer("A3", "Delta Bis")),
    ]
    with pytest.raises(UnclearError, match=r"several customers fit: A1, A2") as error:
        resolve(twins, "delta", "BE")
    assert "Delta" not in str(error.value)
    assert [match.record.customer.reference for match in error.value.matches] == ["A1", "A2", "A3"]
    assert resolve(twins, "A2", "BE").id == 2


def test_a_near_name_is_offered_not_taken() -> None:
    with pytest.raises(UnclearError, match=r"near it is K1002"):
        resolve(ALL, "Dupond", "BE")


def test_a_reference_goes_before_a_name_that_is_the_same() -> None:
    both = [record(1, Customer("Acme", "Other")), record(2, Customer("K2", "Acme"))]
    assert resolve(both, "acme", "BE").id == 1


def test_finding_loads_none_of_the_libraries_for_numbers() -> None:
    code = (
        "import sys\nfrom archiver.core.customers.finding import find, resolve\n"
        "find((), '0471 12 34 56', region='BE')\n"
        "print([m for m in ('phonenumbers', 'stdnum', 'publicsuffixlist') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_address_with_letters_beyond_ascii_is_found_as_surely_as_any() -> None:
    """Accents are folded in what is typed, and so in what is kept."""
    jose = record(1, Customer("K1", "Acme", contacts=(Contact("", ("josé@acme.example",)),)))
    other = record(2, Customer("K2", "Bcme", contacts=(Contact("", ("josé@acme.example.org",)),)))
    for typed in ("josé@acme.example", "JOSÉ@acme.example", "jose\u0301@acme.example", "jose@acme.example"):
        found = [(match.record.customer.reference, match.score) for match in find([jose, other], typed, region="BE")]
        assert found == [("K1", 98), ("K2", 82)]
        assert resolve([jose, other], typed, region="BE") == jose
