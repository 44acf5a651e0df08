"""vCards out of telephones and address books: 4.0, 3.0 and 2.1, and what is wrong with some by its line."""

from __future__ import annotations

import pytest

from archiver.core.customers.exchange import Reading, read_vcards, write_vcards
from archiver.core.customers.exchange.vcard_lines import Property, escaped, folded, properties, unescaped
from archiver.model.customer import Contact, Customer
from archiver.model.identity import Identity
from tests.twins.records import make_be_vat

US = Identity(domains=("ours.example",))
VAT = make_be_vat(28759)
JAN = Contact("Jan Peeters", ("jan@acme.example.com", "jan@gmail.com"), ("+3292550199;ext=12",), ("+32471123456",))


def card(*lines: str, version: str = "3.0") -> str:
    return "\r\n".join(("BEGIN:VCARD", f"VERSION:{version}", *lines, "END:VCARD", ""))


def read(text: str, **more: str) -> Reading:
    return read_vcards(text.encode(), region="BE", identity=US, reference_prefix=more.get("prefix", "V"))


FULL = Customer(
    "K1",
    "Acme; Söhne, NV",
    "Dorp 1\nbus 2",
    "9000",
    "Gent",
    "BE",
    VAT,
    ("acme.example.com", "acme.example.org"),
    ("L,1", "L;2"),
    (JAN, Contact("", ("info@acme.example.com",)), Contact("", (), ("+3225550100",))),
    "one\n\ntwo; three, \\four",
)


def test_a_customer_is_a_card_and_each_contact_one() -> None:
    text = write_vcards([FULL])
    assert text.count("BEGIN:VCARD\r\nVERSION:4.0\r\n") == 4
    assert text.count("KIND:org") == 1
    assert text.count("KIND:individual") == 3
    assert "FN:Acme\\; Söhne\\, NV" in text
    assert "ORG:Acme\\; Söhne\\, NV" in text
    assert "ADR;TYPE=work:;;Dorp 1\\nbus 2;Gent;;9000;BE" in text
    assert 'TEL;VALUE=uri;TYPE="work,cell":tel:+32471123456' in text
    assert "FN;DERIVED=TRUE:info@acme.example.com" in text
    assert read(text).customers == (FULL,)


def test_the_same_customer_has_the_same_uids_each_time() -> None:
    def uids(text: str) -> list[str]:
        return [line for line in text.split("\r\n") if line.startswith("UID:")]

    assert uids(write_vcards([FULL])) == uids(write_vcards([FULL]))
    assert len(set(uids(write_vcards([FULL])))) == 4


APPLE = card(
    "N:Peeters;Jan;;;",
    "FN:Jan Peeters",
    "ORG:Acme NV;Verkoop",
    "item1.EMAIL;type=INTERNET;type=pref:jan@acme.example.com",
    "EMAIL;type=INTERNET;type=HOME:jan@gmail.com",
    "item1.X-ABLabel:_$!<Other>!$_",
    "TEL;type=CELL;type=VOICE;type=pref:+32 471 12 34 56",
    "TEL;type=WORK:09 255 01 99",
    "TEL;type=WORK;type=FAX:09 255 01 98",
    "ADR;type=HOME:;;Thuisstraat 9;Aalst;;9300;België",
    "item2.ADR;type=WORK;type=pref:;;Dorp 1\\nbus 2;Gent;;9000;België",
    "URL;type=WORK:https://www.acme.example.com/",
    "URL:https://www.elsewhere.example.org/jan",
    "PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQSkZJRgABAQAAAQABAAD",
    " 2wBDAAUDBAQEAwUEBAQ",
    "NOTE:belt\\, altijd",
    " 's morgens",
)


def test_a_card_of_an_iphone_is_read() -> None:
    (customer,) = read(APPLE).customers
    assert customer == Customer(
        "V1",
        "Acme NV",
        "Dorp 1\nbus 2",
        "9000",
        "Gent",
        "BE",
        None,
        ("acme.example.com",),
        (),
        (Contact("Jan Peeters", ("jan@acme.example.com", "jan@gmail.com"), ("+3292550199",), ("+32471123456",)),),
        "Jan Peeters: belt, altijd's morgens",
    )


def test_a_card_of_an_old_telephone_is_read() -> None:
    text = card(
        "N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;J=C3=B6rg",
        "ORG;ENCODING=QUOTED-PRINTABLE;CHARSET=ISO-8859-1:Gro=DFhandel =",
        "K=F6ln",
        "TEL;CELL;PREF:0471123456",
        "TEL;WORK;VOICE:+49 30 123456",
        "EMAIL;INTERNET:joerg@gross.example.com",
        version="2.1",
    )
    (customer,) = read(text).customers
    assert customer.name == "Großhandel Köln"
    assert customer.contacts == (
        Contact("Jörg Müller", ("joerg@gross.example.com",), ("+4930123456",), ("+32471123456",)),
    )


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_cards_are_read_however_they_are_encoded(encoding: str) -> None:
    (customer,) = read_vcards(card("FN:Zoë").encode(encoding), region="BE", reference_prefix="V").customers
    assert customer.name == "Zoë"


def test_cards_of_one_organisation_are_one_customer() -> None:
    text = card("FN:An", "ORG:Acme") + card("FN:Bo", "ORG:ACME ") + card("FN:Cis", "ORG:Beta") + card("FN:Dirk")
    assert [(c.reference, c.name, len(c.contacts)) for c in read(text).customers] == [
        ("V1", "Acme", 2),
        ("V2", "Beta", 1),
        ("V3", "Dirk", 1),
    ]


def test_a_card_without_a_reference_joins_the_organisation_that_has_one() -> None:
    text = card("FN:An", "ORG:Acme") + card("FN:Acme", "ORG:Acme", "X-ARCHIVER-REFERENCE:K7", "KIND:org", version="4.0")
    assert [(c.reference, len(c.contacts)) for c in read(text).customers] == [("K7", 1)]


def test_the_most_preferred_address_is_first() -> None:
    text = card("FN:An", "EMAIL;PREF=50:b@x.example.com", "EMAIL:c@x.example.com", "EMAIL;PREF=1:a@x.example.com")
    assert read(text).customers[0].emails == ("a@x.example.com", "b@x.example.com", "c@x.example.com")


def test_a_customer_that_exists_is_met_by_name_and_numbers_begin_behind_those_in_use() -> None:
    text = card("FN:An", "ORG:Acme") + card("FN:Bo", "ORG:Beta")
    known = {"acme": "K9", "other": "V1"}
    reading = read_vcards(text.encode(), region="BE", reference_prefix="V", references=known)
    assert [customer.reference for customer in reading.customers] == ["K9", "V2"]


def test_without_a_prefix_a_new_customer_cannot_be_numbered() -> None:
    reading = read_vcards(card("FN:An", "ORG:Acme").encode(), region="BE")
    assert reading.customers == ()
    assert [problem.line for problem in reading.problems] == [1]
    assert "prefix" in reading.problems[0].reason


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("", 1, ""),
        ("hello\n", 1, ""),
        (card("FN:An", "EMAIL:ok@x.example.com", "EMAIL:nothing"), 5, "EMAIL"),
        (card("FN:An", "TEL:12"), 4, "TEL"),
        (card("FN:An", "TEL;TYPE=cell:12"), 4, "TEL"),
        (card("FN:An", "EMAIL:an@ours.example"), 4, "EMAIL"),
        (card("FN:An", "ORG:Acme", "X-ARCHIVER-VAT:BE0123456700"), 5, "X-ARCHIVER-VAT"),
        (card("FN:An", "ADR:;;x;y;;1;Atlantis"), 4, "ADR"),
        (card("FN:An", "no colon"), 4, ""),
        (card("NOTE:x"), 1, "name"),
        (card("FN:An").replace("END:VCARD", ""), 1, ""),
        (card("FN:An").replace("END:VCARD\r\n", "") + card("FN:Bo"), 1, ""),
        (card("FN:An", "EMAIL;TYPE=work:ok@x.example.com", "NOTE:long", "  folded", "EMAIL:nothing"), 7, "EMAIL"),
    ],
)
def test_what_is_wrong_is_told_by_its_line(text: str, line: int, column: str) -> None:
    reading = read(text)
    assert [(problem.line, problem.column) for problem in reading.problems] == [(line, column)]
    assert all(customer.name != "An" for customer in reading.customers)


def test_one_bad_card_leaves_the_others() -> None:
    reading = read(card("FN:An", "EMAIL:nothing") + card("FN:Bo"))
    assert [customer.name for customer in reading.customers] == ["Bo"]


def test_groups_and_places_are_no_customers() -> None:
    text = card("KIND:group", "FN:Vrienden", "MEMBER:urn:uuid:1", version="4.0") + card("FN:Bo")
    assert [customer.name for customer in read(text).customers] == ["Bo"]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("A:b", [("A", "b")]),
        ('a.TEL;TYPE="x:y;z":1:2', [("TEL", "1:2")]),
        ("NOTE:one\r\n two\r\n\tthree", [("NOTE", "onetwothree")]),
        ("NOTE;ENCODING=QUOTED-PRINTABLE:a=\r\n=3Db", [("NOTE", "a=b")]),
        ("NOTE;CHARSET=nonsense;ENCODING=QUOTED-PRINTABLE:=E9", [("NOTE", "é")]),
    ],
)
def test_content_lines(text: str, values: list[tuple[str, str]]) -> None:
    found = [each for each in properties(text) if isinstance(each, Property)]
    assert [(each.name, each.value) for each in found] == values


def test_text_is_escaped_and_back() -> None:
    text = "a;b,c\\d\ne\\n"
    assert escaped(text) == "a\\;b\\,c\\\\d\\ne\\\\n"
    assert unescaped(escaped(text)) == text
    assert Property(1, "N", "a\\;b;c\\,d;;").components == ("a;b", "c,d", "", "")


def test_lines_are_folded_by_octets_between_characters() -> None:
    line = "NOTE:" + "é" * 100
    lines = folded(line).split("\r\n")
    assert all(len(each.encode()) <= 75 for each in lines)
    assert "".join([lines[0], *(each[1:] for each in lines[1:])]) == line
