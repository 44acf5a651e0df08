"""Two records made one lose nothing, and are two again afterwards, with what was edited meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec.structs import replace

from archiver.core.customers.merging import merged, restored, unmerged
from archiver.model.customer import Consent, Contact, Customer
from tests.twins.records import make_be_vat

VAT, OTHER_VAT = make_be_vat(1), make_be_vat(2)
JAN = Contact("Jan Peeters", ("jan@peeters.example.com",), ("+3292550101",))
WINNER = Customer(
    "K1", "Peeters", "Kerkstraat 1", "9000", "Gent", "BE", VAT, ("peeters.example.com",), ("L1",), (JAN,), "ours"
)
LOSER = Customer(
    "K2",
    "Peeters NV",
    "Dorp 2",
    "9000",
    "Gent",
    "BE",
    OTHER_VAT,
    ("peeters.example.org",),
    ("L1", "L2"),
    (
        Contact("J. Peeters", ("jan@peeters.example.com", "jan@peeters.example.org"), (), ("+32471123456",)),
        Contact("An"),
    ),
    "theirs\nsecond line",
    (),
    ("K0",),
)


def day(number: int) -> datetime:
    return datetime(2025, 1, number, tzinfo=UTC)


def test_what_the_winner_has_no_room_for_is_told_in_its_notes() -> None:
    both = merged(WINNER, LOSER)
    assert (both.reference, both.name, both.vat, both.address) == ("K1", "Peeters", VAT, "Kerkstraat 1")
    assert both.notes.split("\n") == [
        "ours",
        "from K2: name Peeters NV",
        "from K2: address Dorp 2, 9000, Gent, BE",
        f"from K2: VAT {OTHER_VAT}",
        "from K2: contact J. Peeters",
        "from K2: notes",
        "theirs",
        "second line",
    ]


def test_lists_are_joined_and_former_references_kept() -> None:
    both = merged(WINNER, LOSER)
    assert both.domains == ("peeters.example.com", "peeters.example.org")
    assert both.licences == ("L1", "L2")
    assert both.former_references == ("K2", "K0")


def test_one_person_with_an_address_in_common_is_one_contact() -> None:
    emails = ("jan@peeters.example.com", "jan@peeters.example.org")
    assert merged(WINNER, LOSER).contacts == (
        Contact("Jan Peeters", emails, ("+3292550101",), ("+32471123456",)),
        Contact("An"),
    )


def test_two_people_who_share_an_address_stay_two() -> None:
    info = ("info@peeters.example.com",)
    one = replace(WINNER, contacts=(Contact("Jan", info, (), ("+32471000001",)),))
    other = replace(LOSER, contacts=(Contact("Piet", info, (), ("+32471000002",)),))
    assert len(merged(one, other).contacts) == 2


def test_an_empty_record_is_filled() -> None:
    empty = Customer("K1", "Peeters NV")
    both = merged(empty, replace(LOSER, former_references=()))
    assert both == replace(LOSER, reference="K1", former_references=("K2",), notes=f"from K2: notes\n{LOSER.notes}")


def test_an_address_is_filled_as_a_whole_or_not_at_all() -> None:
    only_city = replace(WINNER, address="", postal_code="", city="Aalst")
    both = merged(only_city, LOSER)
    assert (both.address, both.postal_code, both.city) == ("", "", "Aalst")
    assert "address Dorp 2, 9000, Gent" in both.notes
    same_city = replace(WINNER, address="", postal_code="")
    assert merged(same_city, LOSER).address == "Dorp 2"
    abroad = replace(WINNER, address="", postal_code="", city="", country="NL")
    moved = merged(abroad, LOSER)
    assert (moved.city, moved.country) == ("Gent", "BE")
    assert "NL" in moved.notes
    assert merged(WINNER, Customer("K2", "P", country="NL")).country == "BE"


def test_a_withdrawal_by_either_counts_for_what_was_agreed_to_before() -> None:
    ours = Consent(day(3), "An")
    withdrawn = Consent(day(1), "Bo", None, day(9), "Bo")
    assert merged(replace(WINNER, consents=(ours,)), replace(LOSER, consents=(withdrawn,))).consent is None
    early = Consent(day(1), "Bo", None, day(2), "Bo")
    assert merged(replace(WINNER, consents=(early,)), replace(LOSER, consents=(ours,))).consent == ours


def test_undone_at_once_it_is_the_identity() -> None:
    both = merged(WINNER, LOSER)
    assert unmerged(both, WINNER, both) == WINNER


def test_a_name_changed_after_the_merge_stays_when_it_is_undone() -> None:
    both = merged(WINNER, LOSER)
    undone = unmerged(replace(both, name="Peeters Groep", vat=None), WINNER, both)
    assert undone == replace(WINNER, name="Peeters Groep", vat=None)


def test_a_note_written_after_the_merge_stays_wherever_it_stands() -> None:
    both = merged(WINNER, LOSER)
    for edited in (f"{both.notes}\nlater", f"later\n{both.notes}", both.notes.replace("theirs", "theirs\nlater")):
        undone = unmerged(replace(both, notes=edited), WINNER, both)
        assert sorted(undone.notes.split("\n")) == ["later", "ours"]


def test_a_number_given_to_a_joined_contact_stays_and_the_losers_go() -> None:
    both = merged(WINNER, LOSER)
    jan, an = both.contacts
    edited = replace(both, contacts=(replace(jan, phones=(*jan.phones, "+3225550100"), name="Jan P."), an))
    undone = unmerged(edited, WINNER, both)
    assert undone.contacts == (Contact("Jan P.", JAN.emails, ("+3292550101", "+3225550100")),)


def test_a_contact_of_the_losers_leaves_behind_only_what_it_was_given_since() -> None:
    both = merged(WINNER, LOSER)
    jan, an = both.contacts
    edited = replace(both, contacts=(jan, replace(an, emails=("an@new.example.com",))))
    assert unmerged(edited, WINNER, both).contacts == (JAN, Contact("", ("an@new.example.com",)))


def test_what_was_removed_after_the_merge_does_not_come_back() -> None:
    both = merged(WINNER, LOSER)
    edited = replace(both, domains=("peeters.example.org",), licences=(), contacts=())
    undone = unmerged(edited, WINNER, both)
    assert (undone.domains, undone.licences, undone.contacts) == ((), (), ())


def test_a_consent_withdrawn_after_the_merge_stays_withdrawn() -> None:
    given = Consent(day(1), "An")
    both = merged(replace(WINNER, consents=(given,)), LOSER)
    withdrawn = replace(given, withdrawn_at=day(5), withdrawn_by="An")
    undone = unmerged(replace(both, consents=(withdrawn,)), replace(WINNER, consents=(given,)), both)
    assert undone.consents == (withdrawn,)


def test_a_consent_of_the_losers_withdrawn_while_merged_is_withdrawn_for_both() -> None:
    given = Consent(day(2), "Bo")
    loser, winner = replace(LOSER, consents=(given,)), replace(WINNER, consents=(Consent(day(1), "An"),))
    both = merged(winner, loser)
    withdrawn = replace(given, withdrawn_at=day(5), withdrawn_by="An")
    current = replace(both, consents=(*both.consents[:-1], withdrawn))
    assert unmerged(current, winner, both).consent is None
    assert restored(loser, current) == replace(loser, consents=(withdrawn,))
    assert restored(loser, both) == loser


def test_the_first_of_two_merges_can_be_undone() -> None:
    third = Customer("K3", "Third", licences=("L3",), contacts=(Contact("Cis", ("cis@third.example.com",)),))
    first = merged(WINNER, LOSER)
    second = merged(first, third)
    undone = unmerged(second, WINNER, first)
    assert undone == merged(WINNER, third)


def test_a_country_alone_is_no_address() -> None:
    """A country that a form filled in by itself says nothing that must be kept beside the same one."""
    only = Customer("K2", "Peeters", country="BE")
    assert merged(Customer("K1", "Peeters"), only).country == "BE"
    assert merged(Customer("K1", "Peeters"), only).notes == ""
    assert merged(Customer("K1", "Peeters", city="Gent", country="BE"), only).notes == ""
    assert merged(Customer("K1", "Peeters", city="Lille", country="FR"), only).notes == "from K2: country BE"
