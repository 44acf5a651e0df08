"""What must hold of every record: canonical stays so, files change nothing, a merge loses nothing and goes away."""

from __future__ import annotations

from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from archiver.core.customers.exchange import read_csv, read_vcards, updated, write_csv, write_vcards
from archiver.core.customers.exchange.csv_cells import bare_cell, excel_cell, guarded_cell
from archiver.core.customers.finding import find
from archiver.core.customers.haystack import one_edit
from archiver.core.customers.merging import merged, unmerged
from archiver.core.customers.records import checked, examined
from archiver.model.customer import Contact, Customer
from archiver.model.identity import Identity
from tests.twins.awkward import awkward
from tests.twins.records import contacts, customers, make_be_vat, record

US = Identity(domains=("ours.example",))
lenient = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])


def canonical(customer: Customer) -> Customer:
    made, _problems = examined(customer, identity=US, region="BE")
    assume(made.reference and made.name)
    return made


def in_a_file(customer: Customer) -> Customer:
    """A record without what files have no column for."""
    return replace(customer, consents=(), former_references=())


def everything(customer: Customer) -> list[str]:
    names = [contact.name for contact in customer.contacts]
    lines = [*customer.address.split("\n"), *customer.notes.split("\n")]
    single = [customer.reference, customer.name, customer.vat or "", customer.postal_code, customer.city]
    lists = [customer.emails, customer.numbers, customer.domains, customer.licences, customer.former_references]
    return [*names, *lines, *single, *(value for values in lists for value in values)]


@lenient
@example(Customer("K1", "Acme", notes="\x1b-"))
@given(customers)
def test_a_canonical_record_is_canonical(customer: Customer) -> None:
    made = canonical(customer)
    assert checked(made, identity=US, region="BE") == made


@lenient
@example([Customer("K1", "#M", address="##", city="#AAA", notes="#0")], ",")
@example([Customer("K1", "'#N/A", city="''#NV", licences=("12E+345",))], "excel")
@example([Customer("K1", "1E+12", licences=("12E+345", "1,5E10"))], ";")
@given(st.lists(customers, max_size=2), st.sampled_from([",", ";", "\t", "excel"]))
def test_csv_comes_back_as_it_went(some: list[Customer], form: str) -> None:
    kept = {c.reference.casefold(): in_a_file(canonical(c)) for c in some}
    wanted = tuple(kept.values())
    text = write_csv(wanted, for_excel=True) if form == "excel" else write_csv(wanted, delimiter=form)
    reading = read_csv(text.encode(), region="BE", identity=US)
    assert reading.problems == ()
    assert reading.customers == wanted


@lenient
@given(st.lists(customers, max_size=2))
def test_vcards_come_back_as_they_went(some: list[Customer]) -> None:
    kept = {c.reference.casefold(): in_a_file(canonical(c)) for c in some}
    wanted = tuple(kept.values())
    reading = read_vcards(write_vcards(wanted).encode(), region="BE", identity=US)
    assert reading.problems == () or not wanted
    assert reading.customers == wanted


@lenient
@given(st.lists(customers, min_size=1, max_size=3))
def test_no_line_of_a_vcard_is_longer_than_75_octets_and_all_are_utf_8(some: list[Customer]) -> None:
    text = write_vcards(canonical(c) for c in some)
    assert all(len(line) <= 75 for line in text.encode().split(b"\r\n"))


@given(st.text() | awkward(60))
def test_a_cell_is_guarded_from_spreadsheets_and_comes_back(text: str) -> None:
    value = text.strip()
    for cell in (guarded_cell(value), excel_cell(value), excel_cell(value, text=False)):
        assert bare_cell(cell) == value
        assert not cell.startswith(("-", "@")), "no formula begins a cell"
        assert not cell.startswith("=") or cell.startswith('="')
        assert not cell.startswith("+") or cell[1:].replace("|+", "").replace(";ext=", "").isdigit()


@lenient
@given(customers)
def test_an_update_by_what_is_there_already_changes_nothing(customer: Customer) -> None:
    kept = canonical(customer)
    assert updated(kept, in_a_file(kept)) == kept
    entries = read_csv(write_csv([kept]).encode(), region="BE").entries
    assert [updated(kept, entry.customer, entry.columns) for entry in entries] == [kept]


@lenient
@given(customers, customers)
def test_an_update_keeps_what_a_file_does_not_say(old: Customer, new: Customer) -> None:
    before, said = canonical(old), canonical(new)
    after = updated(before, said, ("city", "contacts"))
    assert replace(after, city=before.city, contacts=before.contacts) == before
    assert after.city == said.city
    kept = {c.name for c in after.contacts}
    assert {c.name for c in said.contacts if c.name} <= kept
    assert set(said.emails) <= set(after.emails)


@lenient
@given(st.binary(max_size=300))
def test_reading_never_raises(octets: bytes) -> None:
    read_csv(octets, region="BE", identity=US)
    read_csv(b"reference;name;vat;phone;email;domains\n" + octets, region="BE", identity=US)
    read_vcards(octets, region="BE", identity=US, reference_prefix="V")
    read_vcards(b"BEGIN:VCARD\nFN:x\n" + octets + b"\nEND:VCARD", region="BE", identity=US, reference_prefix="V")


@lenient
@given(customers, customers)
def test_a_merge_loses_nothing_of_either(one: Customer, other: Customer) -> None:
    winner, loser = canonical(one), canonical(other)
    assume(winner.reference != loser.reference)
    both = merged(winner, loser)
    text = "\n".join([both.name, both.notes, both.address, both.city, both.postal_code, both.country, both.vat or ""])
    there = {*everything(both)}
    for value in (*everything(winner), *everything(loser)):
        assert not value or value in there or value in text, value
    assert set(both.consents) == {*winner.consents, *loser.consents}
    assert loser.reference in both.former_references


@lenient
@given(customers, customers)
def test_a_merge_that_is_undone_leaves_no_trace(one: Customer, other: Customer) -> None:
    winner, loser = canonical(one), canonical(other)
    both = merged(winner, loser)
    assert unmerged(both, winner, both) == winner


@lenient
@given(customers, customers, contacts, st.text("xyz", min_size=4, max_size=8))
def test_what_was_edited_after_a_merge_survives_its_undoing(
    one: Customer, other: Customer, contact: Contact, word: str
) -> None:
    winner, loser = canonical(one), canonical(other)
    both = merged(winner, loser)
    number = "+3225550199"
    assume(number not in both.numbers)
    added = Contact(f"Later {word}", (f"later{word}@later.be",), (number,))
    edited = replace(
        both,
        city=f"City {word}",
        domains=(*both.domains, f"{word}-later.be"),
        contacts=(*(replace(c, mobiles=(*c.mobiles, "+32479999999")) for c in both.contacts), added),
        notes=f"{both.notes}\nlater: {word}" if both.notes else f"later: {word}",
    )
    undone = unmerged(edited, winner, both)
    assert undone.city == f"City {word}"
    assert undone.domains == (*winner.domains, f"{word}-later.be")
    assert added in undone.contacts
    assert sum("+32479999999" in c.mobiles for c in undone.contacts) == len(both.contacts)
    assert undone.notes.strip() == (f"{winner.notes}\nlater: {word}" if winner.notes else f"later: {word}")
    assert undone.vat == winner.vat
    assert set(undone.emails) - set(added.emails) <= set(winner.emails)


@lenient
@given(customers, customers, customers)
def test_two_merges_can_be_undone_in_either_order(one: Customer, two: Customer, three: Customer) -> None:
    a, b, c = canonical(one), replace(canonical(two), reference="Q1"), replace(canonical(three), reference="Q2")
    ab = merged(a, b)
    abc = merged(ab, c)
    assert unmerged(unmerged(abc, ab, abc), a, ab) == a
    first = unmerged(abc, a, ab)
    assert "Q1" not in first.former_references
    assert "Q2" in first.former_references
    assert set(c.emails) - set(b.emails) <= set(first.emails)


@lenient
@given(st.lists(customers, min_size=2, max_size=3), st.data())
def test_a_customer_is_found_by_everything_that_identifies_it(some: list[Customer], data: st.DataObject) -> None:
    records = [record(place, replace(canonical(c), reference=f"R{place}x")) for place, c in enumerate(some)]
    one = data.draw(st.sampled_from(records)).customer
    identifiers = [one.reference, *one.emails, *one.domains, *([one.vat] if one.vat else []), *one.numbers]
    typed = data.draw(st.sampled_from(identifiers))
    found = find(records, typed, region="BE")
    assert one.reference in [match.record.customer.reference for match in found if match.score >= 90]
    assert list(found) == sorted(found, key=lambda match: -match.score)


@given(st.text("abc", min_size=1, max_size=6), st.text("abc", min_size=1, max_size=6))
def test_one_edit_is_what_the_definition_says(one: str, other: str) -> None:
    letters = "abc"
    near = {one}
    near |= {one[:i] + x + one[i:] for i in range(len(one) + 1) for x in letters}
    near |= {one[:i] + x + one[i + 1 :] for i in range(len(one)) for x in (*letters, "")}
    near |= {one[:i] + one[i + 1] + one[i] + one[i + 2 :] for i in range(len(one) - 1)}
    assert one_edit(one, other) == (other in near)


@given(st.integers(0, 8_999_999))
def test_every_belgian_number_of_the_tests_is_valid(number: int) -> None:
    vat = make_be_vat(number)
    made = checked(Customer("K1", "Acme", vat=vat[2:]), identity=US, region="BE")
    assert made.vat == vat
