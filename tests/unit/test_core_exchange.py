"""Files of customers as other programs write them; every bad row is told by line, column and reason."""

from __future__ import annotations

import codecs
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from archiver.core.customers.exchange import (
    Difference,
    Problem,
    Reading,
    differences,
    read_csv,
    updated,
    write_accountant,
    write_csv,
)
from archiver.core.customers.exchange.columns import COLUMNS, column_names
from archiver.model.customer import Consent, Contact, Customer
from archiver.model.identity import Identity
from tests.twins.records import make_be_vat

US = Identity(domains=("ours.example",))
VAT = make_be_vat(28759)
PLAIN = "reference,name,vat,contact,email,phone,mobile,notes\n"
JAN = Contact("Jan", ("jan@acme.example.com",), ("+3292550199",), ("+32471123456",))


def read(text: str, encoding: str = "utf-8") -> Reading:
    return read_csv(text.encode(encoding), region="BE", identity=US)


def told(reading: Reading) -> list[tuple[int, str]]:
    return [(problem.line, problem.column) for problem in reading.problems]


def test_a_row_is_a_contact_and_the_customers_columns_may_be_empty_or_repeated() -> None:
    reading = read(
        f"{PLAIN}K1,Acme,{VAT},Jan,jan@acme.example.com,09 255 01 99,0471/12.34.56,hello\n"
        "K1,,,An,an@acme.example.com|an@gmail.com,,,\n"
        ",,,Bo,,,0471 00 00 01,\n"
        "k1,ACME,,Cis,,,,\n"
        "K2,Beta,,,,,,\n"
    )
    assert reading.problems == ()
    an, bo = Contact("An", ("an@acme.example.com", "an@gmail.com")), Contact("Bo", (), (), ("+32471000001",))
    assert reading.customers == (
        Customer("K1", "Acme", vat=VAT, contacts=(JAN, an, bo, Contact("Cis")), notes="hello"),
        Customer("K2", "Beta"),
    )
    assert [entry.line for entry in reading.entries] == [2, 6]
    assert reading.entries[1].columns == {"reference", "name"}


ROWS = "reference;name;city;phone\nK1;Café Zürich;Liège;0471 12 34 56\n"
CAFE = Customer("K1", "Café Zürich", city="Liège", contacts=(Contact(phones=("+32471123456",)),))


@pytest.mark.parametrize(
    "octets",
    [
        ROWS.encode(),
        codecs.BOM_UTF8 + ROWS.encode(),
        ROWS.encode("cp1252"),
        ROWS.replace(";", "\t").encode("utf-16"),
        ROWS.replace(";", "\t").encode("utf-16-le"),
        codecs.BOM_UTF16_BE + ROWS.replace(";", "\t").encode("utf-16-be"),
        ROWS.replace(";", ",").replace("\n", "\r\n").encode(),
        ROWS.replace("\n", "\r").encode(),
        b"sep=;\r\n" + ROWS.encode(),
        b'"sep=|"\n' + ROWS.replace(";", "|").encode(),
        b"\n\n" + ROWS.encode(),
        ROWS.replace("name", '" Name "').encode(),
        b"foo;" + ROWS.replace("\n", "\n;", 1).encode(),
    ],
    ids=[
        "utf-8",
        "bom",
        "cp1252",
        "utf-16",
        "utf-16-le",
        "utf-16-be",
        "commas",
        "cr",
        "sep",
        "sep-pipe",
        "blank",
        "quoted",
        "empty-column",
    ],
)
def test_a_file_is_read_however_a_spreadsheet_encoded_it(octets: bytes) -> None:
    reading = read_csv(octets, region="BE")
    assert reading.problems == ()
    assert reading.customers == (CAFE,)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (
            (
                "Klantnummer;Naam;Adres;Postcode;Gemeente;Land;BTW-nummer;Domeinen;"
                "Licenties;Contactpersoon;E-mailadres;Telefoon;GSM;Opmerkingen"
            ),
            COLUMNS,
        ),
        (
            (
                "N° client;Nom;Adresse;Code postal;Ville;Pays;N° TVA;Domaines;Licences;"
                "Personne de contact;Courriel;Téléphone;Portable;Remarques"
            ),
            COLUMNS,
        ),
        (
            (
                "Kundennummer;Firma;Straße;PLZ;Ort;Land;USt-IdNr.;Domänen;Lizenzen;"
                "Ansprechpartner;E-Mail;Telefon;Handy;Bemerkungen"
            ),
            COLUMNS,
        ),
        (
            (
                "Customer no.;Company;Street;ZIP;Town;Country;VAT number;Domains;Licenses;"
                "Contact person;E-mail address;Telephone;Mobile phone;Remarks"
            ),
            COLUMNS,
        ),
        (
            "REFERENCE;NAME;ADDRESS;POSTAL CODE;CITY;COUNTRY;VAT;DOMAIN;LICENCE;CONTACT;EMAIL;PHONE;MOBILE;NOTES",
            COLUMNS,
        ),
    ],
)
def test_columns_are_known_by_their_names_in_four_languages(header: str, expected: tuple[str, ...]) -> None:
    values = [
        "K1",
        "Acme",
        "Dorp 1",
        "9000",
        "Gent",
        "BE",
        VAT,
        "acme.example.com",
        "L-1",
        *("Jan", "jan@acme.example.com"),
    ]
    row = ";".join([*values, "09 255 01 99", "0471 12 34 56", "hello"])
    reading = read(f"{header}\n{row}\n")
    assert reading.problems == ()
    whole = Customer(
        "K1", "Acme", "Dorp 1", "9000", "Gent", "BE", VAT, ("acme.example.com",), ("L-1",), (JAN,), "hello"
    )
    assert reading.customers == (whole,)
    assert reading.entries[0].columns == {*expected[:9], "contacts", "notes"}


def test_columns_stand_in_any_order() -> None:
    assert read("phone,reference,name\n0471123456,K1,Acme\n").customers[0].numbers == ("+32471123456",)


def test_no_spelling_means_two_columns() -> None:
    assert all(column in COLUMNS for column in column_names().values())
    assert {column_names()[column.replace("_", "")] for column in COLUMNS} == set(COLUMNS)


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("", [(1, "")]),
        ("name,city\nAcme,Gent\n", [(1, "")]),
        ("Acme,Gent\n", [(1, "")]),
        ("reference,name,ref\nK1,Acme,K1\n", [(1, "reference")]),
        ("reference,name,shoe size\nK1,Acme,44\n", [(1, "shoe size")]),
        (f"{PLAIN}K1,,,,,,,\n", [(2, "name")]),
        (f"{PLAIN},Acme,,,,,,\n", [(2, "reference")]),
        (f"{PLAIN},,,Jan,,,,\n", [(2, "reference")]),
        (f"{PLAIN}K1,Acme,,,,,,\n,Beta,,,,,,\n", [(3, "reference")]),
        (f"{PLAIN}K1,Acme,0428.759.401,,,,,\n", [(2, "vat")]),
        (f"{PLAIN}K1,Acme,,,,,,\nK1,Beta,,,,,,\n", [(3, "name")]),
        (f"{PLAIN}K1,Acme,{VAT},,,,,\nK1,,{make_be_vat(3)},,,,,\n", [(3, "vat")]),
        (f"{PLAIN}K1,Acme,,Jan,,,,\nK2,Beta,,,,,,\nK1,Acme,,An,,,,\n", [(4, "reference")]),
        (f"{PLAIN}K1,Acme,,Jan,nothing,12,13,\n", [(2, "email"), (2, "mobile"), (2, "phone")]),
        (f"{PLAIN}K1,Acme,,Jan,,,,\nK1,,,An,nothing,,,\n", [(3, "email")]),
        (f"{PLAIN}K1,Acme,,Jan,jan@ours.example,,,\n", [(2, "email")]),
        (f'{PLAIN}K1,Acme,,"An\nBo",,,,\nK2,Beta,x,,,,,\n', [(4, "vat")]),
        (f'{PLAIN}K1,"Acme"x,,,,,,\nK2,Beta,x,,,,,\n', [(2, ""), (3, "vat")]),
        (f'{PLAIN}K1,"Acme,,,,,,\nK2,Beta,,,,,,\n', [(2, "")]),
        (f"{PLAIN}K1,Acme,,,,,,,,extra\n", [(2, "")]),
        ("reference;name;vat;phone\nK1;Acme;4,28759E+08;4.71E+08\n", [(2, "phone"), (2, "vat")]),
        (f"{PLAIN}K1,Acme,#NAAM?,,,#####,,\n", [(2, "phone"), (2, "vat")]),
        ("reference,name,country,domains\nK1,Acme,Atlantis,gmail.com\n", [(2, "country"), (2, "domains")]),
        ("Klantnr;Naam;BTW\nK1;Acme;0428\n", [(2, "BTW")]),
        ("sep=;\nreference;name;vat\nK1;Acme;x\n", [(3, "vat")]),
    ],
)
def test_every_bad_row_is_told_by_line_and_column(text: str, problems: list[tuple[int, str]]) -> None:
    reading = read(text)
    assert told(reading) == problems
    assert all(problem.reason for problem in reading.problems)


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (b"PK\x03\x04\x14\x00", "workbook"),
        (b"reference,name\nK1,Ac\x00me\n", "not a text file"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x00\x00", "not a text file"),
    ],
)
def test_what_is_no_csv_is_told_so(octets: bytes, why: str) -> None:
    (problem,) = read_csv(octets, region="BE").problems
    assert why in problem.reason


def test_a_damaged_character_is_told_rather_than_every_accent_read_wrong() -> None:
    octets = "reference,name\nK1,Café Zürich\nK2,Liège ".encode() + b"\xe9\n"
    assert told(read_csv(octets, region="BE")) == [(3, "")]


def test_one_bad_row_makes_the_customer_bad_and_no_other() -> None:
    reading = read(f"{PLAIN}K1,Acme,,Jan,,,,\nK1,,,An,nothing,,,\nK2,Beta,,,,,,\n")
    assert [customer.reference for customer in reading.customers] == ["K2"]
    twice = read(f"{PLAIN}K1,Acme,,,,,,\nK2,Beta,,,,,,\nK1,Acme,,,,,,\n")
    assert [customer.reference for customer in twice.customers] == ["K2"]


@pytest.mark.parametrize("cell", ["4,28759E+08", "#NAAM?"])
def test_a_cell_that_a_spreadsheet_destroyed_makes_the_customer_bad(cell: str) -> None:
    reading = read(f"reference;name;vat\nK1;Acme;{cell}\nK2;Beta;\n")
    assert [customer.reference for customer in reading.customers] == ["K2"]


def test_a_row_that_cannot_be_read_spoils_what_it_may_belong_to() -> None:
    reading = read(f'{PLAIN}K1,Acme,,Jan,,,,\nK1,"x"y,,An,,,,\n,,,Bo,,,,\nK2,Beta,,,,,,\n')
    assert told(reading) == [(3, ""), (4, "reference")]
    assert [customer.reference for customer in reading.customers] == ["K2"]


def test_a_problem_reads_as_a_line_and_repeats_no_value() -> None:
    (problem,) = read(f"{PLAIN}K1,Acme,BE0123456700,,,,,\n").problems
    assert str(problem).startswith("line 2, vat: the check digits of the VAT number (BE) are wrong")
    assert "0123456700" not in str(problem)
    assert str(Problem(3, "", "so")) == "line 3: so"


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("471123456", "+32471123456"),
        ('="0471123456"', "+32471123456"),
        ("'0471123456", "+32471123456"),
        ("+32471123456", "+32471123456"),
    ],
)
def test_numbers_that_a_spreadsheet_mistook_are_understood(cell: str, number: str) -> None:
    assert read(f"reference;name;phone\nK1;Acme;{cell}\n").customers[0].numbers == (number,)


def test_a_vat_number_without_its_zero_is_decided_by_the_check_digits() -> None:
    assert read(f"reference;name;vat\nK1;Acme;{VAT[3:]}\n").customers[0].vat == VAT


def test_a_known_customer_needs_no_name_in_the_file() -> None:
    text = b"reference,city\nK1,Gent\nK2,Aalst\n"
    reading = read_csv(text, region="BE", known={"k1"})
    assert [customer.reference for customer in reading.customers] == ["K1"]
    assert told(reading) == [(3, "name")]


FULL = Customer(
    "K1",
    "Acme",
    "Dorp 1",
    "9000",
    "Gent",
    "BE",
    VAT,
    ("acme.example.com",),
    ("L1", "L2"),
    (JAN, Contact("An", ("an@x.example",))),
    "note",
    (Consent(datetime(2025, 1, 1, tzinfo=UTC), "Jan"),),
    ("K0",),
)


def test_an_update_changes_what_is_filled_in_and_nothing_else() -> None:
    (entry,) = read_csv(b"reference,name,city,vat,notes\nk1,Acme,Aalst,,\n", region="BE").entries
    assert updated(FULL, entry.customer, entry.columns) == replace(FULL, city="Aalst")


def test_a_dash_empties_a_field_of_the_customer() -> None:
    (entry,) = read_csv(b"reference,name,city,vat,licences,notes\nK1,Acme,-,-,-,-\n", region="BE").entries
    assert updated(FULL, entry.customer, entry.columns) == replace(FULL, city="", vat=None, licences=(), notes="")


def test_contacts_are_met_by_address_then_by_name_and_others_stay() -> None:
    new = Customer(
        "K1",
        "Acme",
        contacts=(
            Contact("Johan", ("jan@acme.example.com", "johan@acme.example.com")),
            Contact("an", (), ("+3225550100",)),
            Contact("Bo"),
        ),
    )
    assert updated(FULL, new).contacts == (
        Contact("Johan", ("jan@acme.example.com", "johan@acme.example.com"), JAN.phones, JAN.mobiles),
        Contact("an", ("an@x.example",), ("+3225550100",)),
        Contact("Bo"),
    )


def test_people_who_share_an_address_are_met_by_their_names() -> None:
    info = ("info@acme.example.com",)
    old = replace(FULL, contacts=(Contact("Jan", info), Contact("An", info)))
    new = Customer("K1", "Acme", contacts=(Contact("An", info, ("+3225550100",)), Contact("Cis", info)))
    assert updated(old, new).contacts == (
        Contact("Jan", info),
        Contact("An", info, ("+3225550100",)),
        Contact("Cis", info),
    )


def test_differences_are_told_field_by_field() -> None:
    new = replace(FULL, name="Acme NV", vat=None, licences=("L2",), contacts=(replace(JAN, phones=()), Contact("Bo")))
    assert differences(FULL, new) == [
        Difference("name", "Acme", "Acme NV"),
        Difference("VAT number", VAT, ""),
        Difference("licences", "L1, L2", "L2"),
        Difference(
            "contact", "Jan, jan@acme.example.com, +3292550199, +32471123456", "Jan, jan@acme.example.com, +32471123456"
        ),
        Difference("contact", "", "Bo"),
        Difference("contact", "An, an@x.example", ""),
    ]
    assert differences(FULL, FULL) == []
    assert [d.field for d in differences(FULL, replace(FULL, consents=()))] == ["consent"]
    swapped = replace(FULL, contacts=FULL.contacts[::-1])
    assert len(differences(FULL, swapped)) == 2


def test_the_file_has_the_columns_of_the_contract_and_a_row_a_contact() -> None:
    lines = write_csv([FULL, Customer("K2", "Beta")]).split("\r\n")
    assert lines == [
        "reference,name,address,postal_code,city,country,vat,domains,licences,contact,email,phone,mobile,notes",
        (
            f"K1,Acme,Dorp 1,9000,Gent,BE,{VAT},acme.example.com,L1|L2,"
            "Jan,jan@acme.example.com,+3292550199,+32471123456,note"
        ),
        "K1,Acme,,,,,,,,An,an@x.example,,,",
        "K2,Beta,,,,,,,,,,,,",
        "",
    ]


def test_what_a_spreadsheet_would_calculate_is_written_as_text() -> None:
    evil = Customer("K1", "=HYPERLINK(1)", city="@SUM", licences=("+A1", "-7"), notes="-2+3")
    text = write_csv([evil])
    assert text.split("\r\n")[1] == "K1,'=HYPERLINK(1),,,'@SUM,,,,'+A1|-7,,,,,'-2+3"
    assert read(text).customers == (evil,)


def test_excel_gets_its_separator_a_mark_and_numbers_that_it_leaves_alone() -> None:
    some = Customer("007", "Acme", licences=("3-12",), contacts=(Contact("", (), (), ("+32471123456",)),))
    text = write_csv([some], for_excel=True)
    assert text.startswith("\ufeffreference;name;")
    row = text.split("\r\n")[1]
    assert row == '"=""007""";Acme;;;;;;;"=""3-12""";;;;"=""+32471123456""";'
    assert read(text).customers == (some,)


def test_the_accountant_gets_a_row_a_customer_and_nothing_private() -> None:
    text = write_accountant([replace(FULL, address="Dorp 1\nbus 2"), Customer("K2", "=Beta")])
    assert text == (
        "\ufeffname;address;postal_code;city;country;vat;reference\r\n"
        f"Acme;Dorp 1, bus 2;9000;Gent;BE;{VAT};K1\r\n"
        "'=Beta;;;;;;K2\r\n"
    )
    assert write_accountant([Customer("K2", "Beta")], delimiter=",", for_excel=False).startswith("name,address,")
