"""Which contacts a name or an address in a query means: all addresses of the person, never those of others."""

from __future__ import annotations

import pytest

from archiver.core.customers.naming import contacts_named
from archiver.model.customer import Contact, Customer, CustomerRecord
from tests.twins.archive import START

JAN = Contact("Jan Peeters", ("jan@peeters.example", "jan@home.example"))
RECORDS = [
    CustomerRecord(1, Customer("K1", "Peeters", contacts=(JAN, Contact("Els Maes", ("els@x.example",)))), START, START),
    CustomerRecord(2, Customer("K2", "Jan", contacts=(Contact("Jan", ("j@two.example",)),)), START, START),
    CustomerRecord(3, Customer("K3", "Gone", contacts=(Contact("Piet", ("p@gone.example",)),)), START, START, 1),
    CustomerRecord(4, Customer("K4", "Phone", contacts=(Contact("Jan Peeters", phones=("+3211",)),)), START, START),
]


@pytest.mark.parametrize(
    ("text", "prefix", "expected"),
    [
        ("jan peeters", False, JAN.emails),
        ("Peeters, JAN", False, JAN.emails),
        ("JAN@HOME.example", False, JAN.emails),
        ("jan", False, ("j@two.example",)),
        ("maes", False, ("els@x.example",)),
        ("pee", True, JAN.emails),
        ("jan@", True, JAN.emails),
        ("", True, (*JAN.emails, "els@x.example", "j@two.example")),
        ("", False, ()),
        ("piet", False, ()),
        ("nobody@x.example", False, ()),
        ("peet", False, ()),
    ],
)
def test_a_person_is_found_by_address_by_name_or_by_words_of_it(text: str, prefix: bool, expected: object) -> None:
    assert contacts_named(RECORDS, text, prefix=prefix)[0] == expected


def test_whoever_is_not_found_may_be_at_a_customer_that_is_named_by_its_reference() -> None:
    assert contacts_named(RECORDS, "mues") == ((), ("K1",))
    assert contacts_named(RECORDS, "zzzzz") == ((), ())
