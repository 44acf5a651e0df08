"""The demonstration's customers come in without a complaint, and leave something to find out."""

from __future__ import annotations

from archiver.core.customers.exchange import read_csv
from archiver.core.customers.records import canonical_phone
from archiver.model.identity import Identity
from demo.clients import CALLER, FORGOTTEN, SHARED, customers_csv
from demo.people import DOMAIN, customers

READ = read_csv(customers_csv().encode(), region="BE", identity=Identity(domains=(DOMAIN,)), shared_domains=())
RECORDS = {entry.customer.name: entry.customer for entry in READ.entries}


def test_every_row_is_right_and_the_forgotten_are_not_among_them() -> None:
    assert READ.problems == ()
    assert len(FORGOTTEN) == 5
    assert set(RECORDS) == {customer.company for customer in customers()} - FORGOTTEN


def test_vat_numbers_have_right_check_digits_and_belong_to_nobody() -> None:
    numbers = [customer.vat for customer in RECORDS.values() if customer.vat is not None]
    assert len(set(numbers)) == len(numbers) >= 15
    assert all(number.startswith("BE0999") for number in numbers if number.startswith("BE"))


def test_one_contact_belongs_to_two_customers_and_no_other_does() -> None:
    address, also_of = SHARED
    owners: dict[str, list[str]] = {}
    for customer in RECORDS.values():
        for email in customer.emails:
            owners.setdefault(email, []).append(customer.name)
    assert {email: names for email, names in owners.items() if len(names) > 1} == {address: owners[address]}
    assert also_of in owners[address]


def test_the_caller_is_the_only_one_with_that_number() -> None:
    reference, shown = CALLER
    number = canonical_phone(shown, "BE")
    phones = [(c.reference, phone) for c in RECORDS.values() for contact in c.contacts for phone in contact.phones]
    assert [owner for owner, phone in phones if phone == number] == [reference]
    assert len({phone for _, phone in phones}) == len(phones) == len(RECORDS)


def test_the_file_is_always_the_same() -> None:
    assert customers_csv() == customers_csv()
