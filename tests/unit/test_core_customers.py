"""Changing customers: what is refused, what is warned of, and what a person said by hand outlives it all."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from archiver.errors import UsageError
from archiver.model.customer import Consent, Contact, Customer
from archiver.model.link import LinkChanges
from tests.twins.linked_archive import LinkedArchive, customer, letter, linked_archive

WHEN = datetime(2025, 3, 1, tzinfo=UTC)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[LinkedArchive]:
    with linked_archive(tmp_path / "archive") as opened:
        yield opened


# --- records ----------------------------------------------------------------------------------------------------------


def test_what_is_kept_is_canonical(world: LinkedArchive) -> None:
    given = Customer("K1", "  Acme   NV ", country="BE", vat="BE 0428.759.497", domains=("WWW.Acme.Example",))
    kept = world.editing().add(given).record.customer
    assert (kept.name, kept.vat, kept.domains) == ("Acme NV", "BE0428759497", ("acme.example",))


def test_all_that_is_wrong_is_said_at_once_and_nothing_is_kept(world: LinkedArchive) -> None:
    with pytest.raises(UsageError) as caught:
        world.editing().add(Customer("K1", "", vat="BE0428759498", domains=("ours.test",)))
    assert len(caught.value.problems) == 3
    assert world.customers.all() == []


@pytest.mark.parametrize("reference", ["K1", "k1"])
def test_a_reference_is_one_customers_whatever_its_case(world: LinkedArchive, reference: str) -> None:
    world.editing().add(customer("K1"))
    with pytest.raises(UsageError) as caught:
        world.editing().add(customer(reference))
    assert reference in caught.value.message
    other = world.editing().add(customer("K2")).record
    with pytest.raises(UsageError):
        world.editing().edit(other, replace(other.customer, reference=reference))
    assert [record.customer.reference for record in world.customers.all()] == ["K1", "K2"]


def test_a_customer_can_have_its_own_reference_written_otherwise(world: LinkedArchive) -> None:
    record = world.editing().add(customer("k1")).record
    assert world.editing().edit(record, customer("K1")).record.customer.reference == "K1"


def test_the_reference_of_a_merged_customer_stays_taken(world: LinkedArchive) -> None:
    first, second = (world.editing().add(customer(reference)).record for reference in ("K1", "K2"))
    world.editing().merge(second, first)
    with pytest.raises(UsageError) as caught:
        world.editing().add(customer("K2"))
    assert "merged" in caught.value.message


def test_what_two_customers_have_in_common_is_allowed_and_warned_of(world: LinkedArchive) -> None:
    common = customer(
        "K1", "jan@acme.example", domains=("acme.example",), licences=("ABCD-1234",), vat="BE0428759497", country="BE"
    )
    assert world.editing().add(common).warnings == ()
    change = world.editing().add(replace(common, reference="K2"))
    assert [warning.partition(" is that of K1 and K2:")[0] for warning in change.warnings] == [
        "e-mail address jan@acme.example",
        "domain acme.example",
        "VAT number BE0428759497",
        "licence ABCD-1234",
    ]
    assert world.editing().edit(change.record, customer("K2")).warnings == ()


def test_a_merged_record_is_no_other_customer_to_warn_of(world: LinkedArchive) -> None:
    first = world.editing().add(customer("K1", "jan@acme.example")).record
    second = world.editing().add(customer("K2", "jan@acme.example")).record
    assert world.editing().merge(second, first).warnings == ()


def test_an_edit_to_the_same_is_no_change(world: LinkedArchive) -> None:
    record = world.editing().add(customer("K1", "jan@acme.example")).record
    world.archive.clock.advance(60)
    change = world.editing().edit(record, record.customer)
    assert change.before == change.after == record.customer
    assert world.record("K1").changed == record.changed


def test_a_record_that_is_gone_or_merged_is_not_changed(world: LinkedArchive) -> None:
    first, second = (world.editing().add(customer(reference)).record for reference in ("K1", "K2"))
    world.editing().merge(second, first)
    for change in (
        lambda: world.editing().edit(second, customer("K2", "a@b.example")),
        lambda: world.editing().remove(second),
        lambda: world.editing().merge(first, second),
        lambda: world.editing().link(1, second, why=""),
    ):
        with pytest.raises(UsageError) as caught:
            change()
        assert "was merged into K1" in caught.value.message
    world.editing().remove(first)
    with pytest.raises(UsageError, match="no longer there"):
        world.editing().edit(first, customer("K1"))


# --- merging ----------------------------------------------------------------------------------------------------------


def test_a_merge_moves_all_mail_and_keeps_contacts_and_notes(world: LinkedArchive) -> None:
    world.deliver(letter("jan@acme.example", number=1), letter("an@other.example", number=2))
    first = world.editing().add(customer("K1", "jan@acme.example", notes="first")).record
    second = world.editing().add(customer("K2", "an@other.example", notes="second")).record
    change = world.editing().merge(second, first)
    assert change.record.id == first.id
    assert change.links == LinkChanges(1, gained=((first.id, 1),), lost=((second.id, 1),))
    assert change.references == {first.id: "K1", second.id: "K2"}
    assert change.record.customer.emails == ("jan@acme.example", "an@other.example")
    assert "first" in change.record.customer.notes
    assert "second" in change.record.customer.notes
    assert [world.linked(row) for row in world.rows()] == [{"K1"}, {"K1"}]


def test_two_customers_that_share_an_address_are_no_longer_ambiguous_once_merged(world: LinkedArchive) -> None:
    world.deliver(letter("jan@acme.example"))
    first = world.editing().add(customer("K1", "jan@acme.example")).record
    second = world.editing().add(customer("K2", "jan@acme.example")).record
    change = world.editing().merge(second, first)
    assert change.links == LinkChanges(1, gained=((first.id, 1),), candidates_lost=((first.id, 1), (second.id, 1)))


def test_merges_in_a_chain_are_undone_from_the_last(world: LinkedArchive) -> None:
    world.deliver(letter("a@one.example", number=1), letter("b@two.example", number=2))
    one = world.editing().add(customer("K1", "a@one.example")).record
    two = world.editing().add(customer("K2", "b@two.example")).record
    three = world.editing().add(customer("K3")).record
    world.editing().merge(one, two)
    world.editing().merge(two, three)
    assert [world.linked(row) for row in world.rows()] == [{"K3"}, {"K3"}]
    with pytest.raises(UsageError, match="K2"):
        world.editing().unmerge("K1")
    world.editing().unmerge("K2")
    assert [world.linked(row) for row in world.rows()] == [{"K2"}, {"K2"}]
    world.editing().unmerge("k1")
    assert [world.linked(row) for row in world.rows()] == [{"K1"}, {"K2"}]
    assert not world.wrong()


def test_only_what_is_merged_can_be_taken_apart(world: LinkedArchive) -> None:
    record = world.editing().add(customer("K1")).record
    for reference in ("K1", "K9"):
        with pytest.raises(UsageError):
            world.editing().unmerge(reference)
    with pytest.raises(UsageError, match="itself"):
        world.editing().merge(record, record)


def test_what_was_edited_after_a_merge_survives_taking_it_apart(world: LinkedArchive) -> None:
    first, second = (world.editing().add(customer(reference)).record for reference in ("K1", "K2"))
    merged = world.editing().merge(second, first).record
    world.editing().edit(merged, replace(merged.customer, city="Gent"))
    change = world.editing().unmerge("K2")
    assert change.record.customer.city == "Gent"
    assert world.record("K2").customer.city == ""


# --- importing --------------------------------------------------------------------------------------------------------


def test_a_consent_withdrawn_while_merged_stays_withdrawn_for_the_one_that_gave_it(world: LinkedArchive) -> None:
    first = world.editing().add(customer("K1")).record
    second = world.editing().add(replace(customer("K2"), consents=(Consent(WHEN, "Jan Peeters"),))).record
    merged = world.editing().merge(second, first).record
    (consent,) = merged.customer.consents
    withdrawn = replace(consent, withdrawn_at=WHEN, withdrawn_by="Jan Peeters")
    world.editing().edit(merged, replace(merged.customer, consents=(withdrawn,)))
    world.editing().unmerge("K2")
    assert world.record("K2").customer.consents == (withdrawn,)


def test_an_import_adds_updates_and_says_what_each_came_to(world: LinkedArchive) -> None:
    world.deliver(letter("jan@acme.example", number=1), letter("an@other.example", number=2))
    world.editing().add(customer("K1", "jan@acme.example"))
    same = world.editing().add(customer("K3")).record.customer
    done = world.editing().import_([customer("K2", "an@other.example"), customer("k1", notes="new"), same])
    assert [(change.before is None, change.before == change.after) for change in done.changes] == [
        (True, False),
        (False, False),
        (False, True),
    ]
    assert [change.record.customer.reference for change in done.changes] == ["K2", "k1", "K3"]
    assert done.links == LinkChanges(2, gained=((world.record("K2").id, 1),), lost=((world.record("K1").id, 1),))
    assert set(done.references.values()) == {"K2", "k1"}


def test_one_bad_customer_stops_an_import_and_every_bad_one_is_named(world: LinkedArchive) -> None:
    merged_away = world.editing().add(customer("K7")).record
    world.editing().merge(merged_away, world.editing().add(customer("K8")).record)
    bad = [Customer("K2", ""), customer("K3"), customer("k3"), customer("K7")]
    with pytest.raises(UsageError) as caught:
        world.editing().import_([customer("K1"), *bad])
    assert [problem.partition(": ")[0] for problem in caught.value.problems] == ["K2", "k3", "K7"]
    assert caught.value.message.startswith("3 of 5 customers")
    assert {record.customer.reference for record in world.customers.all()} == {"K7", "K8"}


def test_an_import_leaves_consent_and_former_references_alone(world: LinkedArchive) -> None:
    consent = Consent(WHEN, "Jan Peeters")
    given = replace(customer("K1"), consents=(consent,), former_references=("K0",))
    world.editing().add(given)
    (change,) = world.editing().import_([customer("K1", "jan@acme.example")]).changes
    assert change.record.customer.consent == consent
    assert change.record.customer.former_references == ("K0",)


def test_what_imported_customers_have_in_common_is_warned_of(world: LinkedArchive) -> None:
    done = world.editing().import_([customer("K1", "jan@acme.example"), customer("K2", "jan@acme.example")])
    assert [len(change.warnings) for change in done.changes] == [1, 1]


# --- by hand ----------------------------------------------------------------------------------------------------------


def test_a_link_by_hand_outlives_edits_imports_relinking_and_merges(world: LinkedArchive) -> None:
    world.deliver(letter("x@nobody.example", number=1), letter("jan@acme.example", number=2))
    one = world.editing().add(customer("K1", "jan@acme.example")).record
    two = world.editing().add(customer("K2")).record
    first, second = world.rows()
    world.editing().link(first, two, why="they rang")
    world.editing().unlink(second, one, why="not theirs")

    def as_said() -> bool:
        return (world.linked(first), world.linked(second)) == ({"K2"}, set())

    assert as_said()
    world.editing().edit(one, customer("K1", "jan@acme.example", "x@nobody.example", domains=("acme.example",)))
    assert (world.linked(first), world.linked(second)) == ({"K1", "K2"}, set())
    world.editing().edit(one, customer("K1", "jan@acme.example"))
    world.editing().import_([customer("K2", "other@acme.example"), customer("K5", "q@q.example")])
    world.editing().relink()
    assert as_said()
    three = world.editing().add(customer("K3")).record
    world.editing().merge(two, three)
    assert world.linked(first) == {"K3"}
    world.editing().unmerge("K2")
    assert as_said()
    assert not world.wrong()


def test_the_last_word_by_hand_counts_and_can_be_undone(world: LinkedArchive) -> None:
    world.deliver(letter("jan@acme.example"))
    record = world.editing().add(customer("K1", "jan@acme.example")).record
    (row,) = world.rows()
    assert world.editing(who="an").unlink(row, record, why="wrong firm").lost == ((record.id, 1),)
    assert world.editing(who="bo").link(row, record, why="it is theirs").gained == ((record.id, 1),)
    assert world.editing(who="cy").undo(row, record) == LinkChanges()  # the rules link it too
    assert world.linked(row) == {"K1"}
    first, second = world.links.decisions(world.blob_id(row))
    assert (first.who, first.why, first.undone_by) == ("an", "wrong firm", "bo")
    assert (second.who, second.undone_by) == ("bo", "cy")
    with pytest.raises(UsageError, match="nothing was decided by hand"):
        world.editing().undo(row, record)


def test_what_was_said_of_a_merged_customer_is_undone_and_replaced_through_its_survivor(world: LinkedArchive) -> None:
    world.deliver(letter("x@nobody.example"))
    first, second = (world.editing().add(customer(reference)).record for reference in ("K1", "K2"))
    (row,) = world.rows()
    world.editing().link(row, second, why="")
    world.editing().merge(second, first)
    assert world.editing().unlink(row, first, why="").lost == ((first.id, 1),)
    assert world.linked(row) == set()
    assert world.editing().undo(row, first) == LinkChanges()
    world.editing().link(row, first, why="")
    world.editing().undo(row, first)
    assert world.linked(row) == set()


def test_what_was_said_of_one_in_a_chain_of_merges_goes_with_it_when_that_is_undone(world: LinkedArchive) -> None:
    world.deliver(letter("jan@acme.example"))
    (row,) = world.rows()
    one, two = (world.editing().add(customer(reference)).record for reference in ("K1", "K2"))
    three = world.editing().add(customer("K3", domains=("acme.example",))).record
    world.editing().unlink(row, one, why="not theirs")
    world.editing().merge(one, two)
    assert world.linked(row) == {"K3"}
    world.editing().merge(two, three)
    assert world.linked(row) == set()
    world.editing().unmerge("K2")
    assert world.linked(row) == {"K3"}
    assert world.wrong() == []


def test_removing_a_customer_takes_what_was_said_by_hand_with_it(world: LinkedArchive) -> None:
    world.deliver(letter("x@nobody.example"))
    record = world.editing().add(customer("K1")).record
    (row,) = world.rows()
    world.editing().link(row, record, why="")
    assert world.editing().remove(record).links.lost == ((record.id, 1),)
    assert world.links.decisions(world.blob_id(row)) == []
    again = world.editing().add(customer("K1")).record
    assert again.id != record.id
    assert world.linked(row) == set()


def test_removing_a_customer_forgets_its_numbers(world: LinkedArchive) -> None:
    record = world.editing().add(customer("K1", licences=("ABCD-1234-EFGH",))).record
    world.deliver(letter("x@nobody.example", text="Licence ABCD-1234-EFGH"))
    assert dict(world.links.evidence())[world.rows()[0]].codes
    world.editing().remove(record)
    assert dict(world.links.evidence())[world.rows()[0]].codes == ()


def test_a_number_within_a_longer_one_is_found_when_the_longer_one_goes(world: LinkedArchive) -> None:
    world.editing().add(customer("K1", licences=("WXYZ-1234",)))
    longer = world.editing().add(customer("K2", licences=("WXYZ-1234-5678",))).record
    world.deliver(letter("x@nobody.example", text="It is WXYZ 1234 5678, he said."))
    (row,) = world.rows()
    assert world.linked(row) == {"K2"}
    assert world.editing().remove(longer).links.lost == ((longer.id, 1),)
    assert world.linked(row) == {"K1"}
    world.editing().add(customer("K2", licences=("WXYZ-1234-5678",)))
    assert world.linked(row) == {"K2"}


def test_a_message_that_is_not_there_is_not_linked(world: LinkedArchive) -> None:
    record = world.editing().add(customer("K1")).record
    with pytest.raises(UsageError):
        world.editing().link(12345, record, why="")


def test_a_message_that_was_decided_on_before_it_was_readable_is_linked_as_was_said(world: LinkedArchive) -> None:
    record = world.editing().add(customer("K1")).record
    octets = letter("x@nobody.example")
    world.deliver(octets)
    (row,) = world.rows()
    world.editing().link(row, record, why="")
    connection = world.ports.catalogue.connection  # type: ignore[attr-defined]
    with connection.transaction():
        for table in ("messages", "records", "links", "locations"):
            connection.execute(f"DELETE FROM {table}")
    world.archive.paths.collect_database.unlink()
    for path in world.archive.paths.collect_database.parent.glob("collect.db*"):
        path.unlink()
    world.deliver(octets)
    assert [world.linked(row) for row in world.rows()] == [{"K1"}]


def test_a_dry_run_of_everything_keeps_nothing(world: LinkedArchive) -> None:
    world.deliver(letter("jan@acme.example", number=1))
    one = world.editing().add(customer("K1", "jan@acme.example")).record
    two = world.editing().add(customer("K2")).record
    (row,) = world.rows()
    before = (world.customers.all(), world.found(), world.links.standing())
    dry = world.editing(dry_run=True)
    assert dry.merge(one, two).links.messages == 1
    assert dry.remove(one).links.messages == 1
    assert dry.edit(one, customer("K1")).links.messages == 1
    assert dry.import_([customer("K1"), customer("K4", "jan@acme.example")]).links.messages == 1
    assert dry.link(row, two, why="").messages == 1
    assert dry.add(customer("K3", "jan@acme.example")).links.messages == 1
    assert (world.customers.all(), world.found(), world.links.standing()) == before


def test_contacts_without_a_name_are_as_good(world: LinkedArchive) -> None:
    world.deliver(letter("jan@acme.example"))
    world.editing().add(Customer("K1", "Acme", contacts=(Contact(emails=("Jan@ACME.example",)),)))
    assert world.linked(world.rows()[0]) == {"K1"}
