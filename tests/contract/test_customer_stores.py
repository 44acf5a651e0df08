"""What customers, links and correspondence promise; run by the twins in memory and by archive.db."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from archiver.core.customer_ports import Correspondence, Customers, Links
from archiver.core.ports import Catalogue
from archiver.errors import UsageError
from archiver.model.address import EmailAddress
from archiver.model.catalogue import Ingested, Summary
from archiver.model.customer import Consent, Contact, Customer
from archiver.model.delivery import Delivery, SealedRecord
from archiver.model.link import Evidence, Link, Rule, Standing
from archiver.model.message import BlobId, Defect, Direction
from archiver.store.catalogue import SqliteCatalogue
from archiver.store.correspondence import SqliteCorrespondence
from archiver.store.customers import SqliteCustomers
from archiver.store.links import SqliteLinks
from tests.twins.archive import START, Archive, message_of
from tests.twins.customer_stores import MemoryCorrespondence, MemoryCustomers, MemoryLinks
from tests.twins.stores import MemoryCatalogue

INCOMING, OUTGOING, INTERNAL, OTHER = Direction.INCOMING, Direction.OUTGOING, Direction.INTERNAL, Direction.OTHER
LINKED, AMBIGUOUS, SUGGESTED = Standing.LINKED, Standing.AMBIGUOUS, Standing.SUGGESTED
LATER = START + timedelta(days=1)
ANNA, BERT, US = (EmailAddress(name.title(), f"{name}@{name}.test") for name in ("anna", "bert", "us"))


def blob(number: int) -> BlobId:
    return BlobId(sha256(str(number).encode()).digest())


@dataclass
class World:
    """The stores of one archive, and mail put into it."""

    catalogue: Catalogue
    customers: Customers
    links: Links
    correspondence: Correspondence
    forget_evidence: Callable[[int], None]
    last: int = 0

    def take(
        self,
        *,
        direction: Direction = INCOMING,
        links: Sequence[Link] = (),
        codes: Sequence[str] = (),
        at: datetime | None = None,
        **fields: object,
    ) -> int:
        """Take in one message and return its row; each is a minute later than the one before unless told."""
        self.last += 1
        at = START + timedelta(minutes=self.last) if at is None else at
        ingested = message_of(blob(self.last), at=at, **fields)  # type: ignore[arg-type]
        ingested = replace(ingested, direction=direction, links=tuple(links), codes=tuple(codes))
        return self.put(self.last, ingested)

    def put(self, number: int, ingested: Ingested) -> int:
        record = SealedRecord(blob(number), number * 100, 90, 1000, bytes(32))
        return self.catalogue.take_in(Delivery("ab" * 32, (record,), ()), [ingested])[blob(number)]

    def customer(self, reference: str) -> int:
        return self.customers.add(Customer(reference, f"Company {reference}"), now=START)

    def summary(self, row: int) -> Summary:
        (found,) = self.catalogue.summaries([row])
        return found

    def evidence(self, row: int) -> Evidence:
        return dict(self.links.evidence([row]))[row]


@pytest.fixture(params=["memory", "sqlite"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    if request.param == "memory":
        yield in_memory()
        return
    opened = Archive(tmp_path / "archive").create().catalogue()
    yield on_disk(opened)
    opened.close()


def in_memory() -> World:
    catalogue = MemoryCatalogue()
    return World(
        catalogue,
        MemoryCustomers(catalogue),
        MemoryLinks(catalogue),
        MemoryCorrespondence(catalogue),
        catalogue.tables.unexamined.add,
    )


def on_disk(catalogue: SqliteCatalogue) -> World:
    connection = catalogue.connection

    def forget_evidence(row: int) -> None:
        """As a release of format 1 would have taken the message in."""
        connection.execute(
            "UPDATE messages SET flags = 0, people = CAST(x'91' || substr(people, 2, 2) AS BLOB) WHERE row = ?", (row,)
        )
        connection.execute("DELETE FROM mentions WHERE row = ?", (row,))

    return World(
        catalogue,
        SqliteCustomers(connection),
        SqliteLinks(connection),
        SqliteCorrespondence(connection),
        forget_evidence,
    )


# --- records ---------------------------------------------------------------------------------------------------------

FULL = Customer(
    reference="K-100",
    name="Bakkerij Ünal & zonen",
    address="Dorpsstraat 1\nbus 2",
    postal_code="9000",
    city="Gent",
    country="BE",
    vat="BE0428759497",
    domains=("unal.test", "xn--nal-hoa.test"),
    licences=("L-1", "L-2"),
    contacts=(
        Contact("Ömer", ("omer@unal.test", "o@unal.test"), ("+3291234567",), ("+32471123456",)),
        Contact(emails=("info@unal.test",)),
    ),
    notes="two\nlines",
    consents=(
        Consent(START, "an", "ab" * 32, LATER, "bert"),
        Consent(datetime(2025, 6, 1, 12, tzinfo=timezone(timedelta(hours=2))), "an"),
    ),
    former_references=("K-99",),
)


def test_a_customer_comes_back_whole(world: World) -> None:
    number = world.customers.add(FULL, now=START)
    record = world.customers.get(number)
    assert record is not None
    assert record.customer == FULL
    assert (record.id, record.created, record.changed, record.merged_into) == (number, START, START, None)
    assert world.customers.all() == [record]


def test_all_records_are_those_of_now_however_often_they_are_read(world: World) -> None:
    first, second = (world.customers.add(Customer(f"K-{n}", f"Number {n}"), now=START) for n in (1, 2))
    assert [each.customer.name for each in world.customers.all()] == ["Number 1", "Number 2"]
    world.customers.replace(first, Customer("K-1", "Another"), now=START)
    third = world.customers.add(Customer("K-3", "Number 3"), now=START)
    assert [each.customer.name for each in world.customers.all()] == ["Another", "Number 2", "Number 3"]
    world.customers.merge(third, second, Customer("K-2", "Both"), now=START)
    assert [(each.id, each.merged_into) for each in world.customers.all()] == [
        (first, None),
        (second, None),
        (third, second),
    ]
    world.customers.remove(first)
    assert [each.customer.name for each in world.customers.all()] == ["Both", "Number 3"]


def test_a_record_is_found_by_its_reference_without_case(world: World) -> None:
    number = world.customers.add(Customer("Klant-Ä", "x"), now=START)
    for spelling in ("Klant-Ä", "klant-ä", "KLANT-Ä"):
        found = world.customers.by_reference(spelling)
        assert found is not None
        assert found.id == number
    assert world.customers.by_reference("Klant") is None


def test_a_reference_is_given_once(world: World) -> None:
    first, second = world.customer("A"), world.customer("B")
    with pytest.raises(UsageError, match="reference"):
        world.customer("a")
    with pytest.raises(UsageError, match="reference"):
        world.customers.replace(second, Customer("A", "x"), now=START)
    world.customers.replace(first, Customer("a", "other case"), now=LATER)
    record = world.customers.get(first)
    assert record is not None
    assert (record.customer.reference, record.created, record.changed) == ("a", START, LATER)
    world.customers.replace(first, Customer("C", "x"), now=LATER)
    world.customer("A")


def test_what_is_not_there_cannot_be_replaced(world: World) -> None:
    with pytest.raises(UsageError, match="no such customer"):
        world.customers.replace(7, Customer("A", "x"), now=START)
    assert world.customers.get(7) is None
    assert world.customers.all() == []


def test_an_id_is_never_used_again(world: World) -> None:
    first = world.customer("A")
    world.customers.remove(first)
    assert world.customer("A") > first


def test_removing_takes_links_and_decisions_along(world: World) -> None:
    a, b = world.customer("A"), world.customer("B")
    row = world.take(links=[Link(a, Rule.CONTACT), Link(b, Rule.DOMAIN, SUGGESTED)])
    world.links.decide(blob(1), a, links=True, who="an", at=START, why="")
    world.links.decide(blob(1), b, links=False, who="an", at=START, why="")
    world.customers.remove(a)
    assert world.links.links([row]) == {row: [Link(b, Rule.DOMAIN, SUGGESTED)]}
    assert [decision.customer for decision in world.links.decisions(blob(1))] == [b]
    assert world.links.rows_of_customers([a]) == set()
    assert world.customers.by_reference("A") is None


def test_removing_a_winner_removes_what_was_merged_into_it(world: World) -> None:
    a, b, c, d = (world.customer(reference) for reference in "ABCD")
    world.customers.merge(a, b, Customer("B", "b"), now=START)
    world.customers.merge(b, c, Customer("C", "c"), now=START)
    world.customers.remove(c)
    assert [record.id for record in world.customers.all()] == [d]


def test_a_merge_keeps_what_undoing_it_needs(world: World) -> None:
    a, b = world.customer("A"), world.customer("B")
    before = world.customers.get(b)
    assert before is not None
    assert world.customers.merge_states(a) is None
    merged = Customer("B", "Both", notes="kept", former_references=("A",))
    world.customers.merge(a, b, merged, now=LATER)
    loser, winner = world.customers.get(a), world.customers.get(b)
    assert loser is not None
    assert winner is not None
    assert (loser.merged_into, winner.merged_into, winner.customer, winner.changed) == (b, None, merged, LATER)
    assert loser.customer == Customer("A", "Company A")
    assert world.customers.merge_states(a) == (before.customer, merged)
    found = world.customers.by_reference("a")
    assert found is not None
    assert found.id == a
    assert world.catalogue.counts().customers == 1


def test_a_merge_is_undone(world: World) -> None:
    a, b = world.customer("A"), world.customer("B")
    world.customers.merge(a, b, Customer("B", "Both"), now=LATER)
    world.customers.unmerge(a, Customer("B", "Company B"), now=LATER)
    assert [(r.customer.name, r.merged_into) for r in world.customers.all()] == [
        ("Company A", None),
        ("Company B", None),
    ]
    assert world.customers.merge_states(a) is None
    with pytest.raises(UsageError, match="not merged"):
        world.customers.unmerge(a, Customer("B", "x"), now=LATER)


def test_only_two_customers_of_their_own_are_merged(world: World) -> None:
    a, b, c = (world.customer(reference) for reference in "ABC")
    world.customers.merge(a, b, Customer("B", "b"), now=START)
    before = world.customers.all()
    for loser, winner in ((a, c), (c, a), (c, c), (c, 99), (99, c)):
        with pytest.raises(UsageError, match="merge"):
            world.customers.merge(loser, winner, Customer("X", "x"), now=START)
    assert world.customers.all() == before


def test_a_transaction_that_fails_leaves_nothing(world: World) -> None:
    a = world.customer("A")
    row = world.take(links=[Link(a, Rule.CONTACT)])

    def half_of_it() -> None:
        with world.customers.transaction():
            world.customers.replace(a, Customer("A", "changed"), now=LATER)
            world.links.set_links({row: [Link(world.customer("B"), Rule.HAND)]})
            world.links.decide(blob(1), a, links=False, who="an", at=START, why="")
            world.links.add_codes([(row, "X1")])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half_of_it()
    assert [record.customer.name for record in world.customers.all()] == ["Company A"]
    assert world.links.links([row]) == {row: [Link(a, Rule.CONTACT)]}
    assert world.links.decisions(blob(1)) == []
    assert world.links.rows_with_numbers([], ["X1"]) == set()


# --- evidence --------------------------------------------------------------------------------------------------------


def test_evidence_is_what_was_taken_in(world: World) -> None:
    row = world.take(
        direction=OUTGOING, from_=(US,), sender=(BERT,), reply_to=(ANNA,), to=(ANNA, BERT), cc=(BERT,), bcc=(ANNA,),
        delivered_to=(US,), author=(BERT,), forwarded=(ANNA, US), reported=(BERT,), vat_numbers=("NL2", "BE1"),
        codes=("ref:b", "ref:a"),
    )  # fmt: skip
    assert list(world.links.evidence()) == [
        (
            row,
            Evidence(
                OUTGOING, from_=(US,), sender=(BERT,), reply_to=(ANNA,), to=(ANNA, BERT), cc=(BERT,), bcc=(ANNA,),
                author=(BERT,), forwarded=(ANNA, US), reported=(BERT,), vat_numbers=("BE1", "NL2"),
                codes=("ref:a", "ref:b"),
            ),
        )
    ]  # fmt: skip


def test_evidence_comes_newest_first_whole_or_of_some(world: World) -> None:
    rows = [world.take(from_=(ANNA,)) for _ in range(5)]
    assert [row for row, _ in world.links.evidence()] == rows[::-1]
    assert [row for row, _ in world.links.evidence([rows[1], 12345, rows[3]])] == [rows[3], rows[1]]
    assert list(world.links.evidence([])) == []


def test_links_may_be_written_while_evidence_is_read(world: World) -> None:
    a = world.customer("A")
    rows = [world.take(from_=(ANNA,)) for _ in range(7)]
    with world.links.transaction():
        for row, evidence in world.links.evidence():
            assert evidence.from_ == (ANNA,)
            world.links.set_links({row: [Link(a, Rule.CONTACT)]})
            world.links.add_codes([(row, "x")])
    assert set(world.links.links(rows)) == set(rows)


def test_only_decisions_that_stand_are_evidence(world: World) -> None:
    a, b = world.customer("A"), world.customer("B")
    row, other = world.take(), world.take()
    world.links.decide(blob(1), a, links=True, who="an", at=START, why="")
    standing = world.links.decide(blob(1), b, links=False, who="an", at=START, why="wrong one")
    world.links.undo(blob(1), a, who="bert", at=LATER)
    assert world.evidence(row).decisions == (standing,)
    assert world.evidence(other).decisions == ()


def test_messages_are_found_by_address_in_every_role_of_evidence(world: World) -> None:
    tagged = EmailAddress("Anna", "Anna+Offerte@Anna.TEST")
    roles = ("from_", "sender", "reply_to", "to", "cc", "bcc", "author", "forwarded", "reported")
    rows = {world.take(**{role: (tagged,)}) for role in roles}  # type: ignore[arg-type]
    world.take(from_=(BERT,), delivered_to=(tagged,))
    assert world.links.rows_with_addresses(["anna@anna.test"], []) == rows
    assert world.links.rows_with_addresses([], ["anna.test"]) == rows
    assert world.links.rows_with_addresses([], []) == set()


def test_a_domain_counts_with_what_is_below_it_and_nothing_else(world: World) -> None:
    of = {name: world.take(to=(EmailAddress("", f"x@{name}"),)) for name in
          ("firma.test", "mail.Firma.TEST", "oudfirma.test", "firma.test.evil.test", "test")}  # fmt: skip
    world.take(to=(EmailAddress("", "firma.test"),))
    assert world.links.rows_with_addresses([], ["firma.test"]) == {of["firma.test"], of["mail.Firma.TEST"]}


def test_messages_are_found_by_the_numbers_in_them(world: World) -> None:
    one = world.take(vat_numbers=("BE1", "BE1"), codes=("BE1",))
    two = world.take(vat_numbers=("BE1",), codes=("x",))
    assert world.links.rows_with_numbers(["BE1"], []) == {one, two}
    assert world.links.rows_with_numbers([], ["BE1"]) == {one}
    assert world.links.rows_with_numbers(["x"], ["y"]) == set()
    world.links.add_codes([(one, "x"), (two, "x"), (one, "x")])
    assert world.links.rows_with_numbers([], ["x"]) == {one, two}
    assert world.evidence(one).codes == ("BE1", "x")
    world.links.set_codes({one: ["z"], two: []})
    assert world.links.rows_with_numbers([], ["x", "BE1"]) == set()
    assert (world.evidence(one).codes, world.evidence(two).codes) == (("z",), ())
    assert world.evidence(one).vat_numbers == ("BE1",)


def test_a_message_of_an_earlier_release_is_completed(world: World) -> None:
    rows = [world.take(from_=(ANNA,), automatic=True) for _ in range(3)]
    assert world.links.unexamined(10) == []
    world.forget_evidence(rows[0])
    world.forget_evidence(rows[2])
    assert world.links.unexamined(10) == [rows[2], rows[0]]
    assert world.links.unexamined(1) == [rows[2]]
    gathered = Evidence(
        INCOMING, author=(BERT,), forwarded=(ANNA, US), reported=(US,), vat_numbers=("BE1",), codes=("c",)
    )
    assert list(world.correspondence.unanswered()) != []
    for row in (rows[0], rows[2]):
        world.links.add_evidence(row, gathered, automatic=True)
    assert world.links.unexamined(10) == []
    assert world.evidence(rows[0]) == replace(gathered, from_=(ANNA,))
    assert list(world.correspondence.unanswered()) == []
    assert world.links.rows_with_numbers(["BE1"], ["c"]) == {rows[0], rows[2]}


# --- links and decisions ---------------------------------------------------------------------------------------------


def test_links_are_replaced_and_the_others_left(world: World) -> None:
    a, b, c = (world.customer(reference) for reference in "ABC")
    one, two = world.take(links=[Link(a, Rule.CONTACT)]), world.take(links=[Link(b, Rule.DOMAIN, AMBIGUOUS)])
    three = world.take()
    world.links.set_links({one: [Link(c, Rule.VAT, SUGGESTED), Link(b, Rule.DOMAIN)], three: []})
    assert world.links.links([one, two, three, 99]) == {
        one: [Link(b, Rule.DOMAIN), Link(c, Rule.VAT, SUGGESTED)],
        two: [Link(b, Rule.DOMAIN, AMBIGUOUS)],
    }
    assert world.links.rows_of_customers([a]) == set()
    assert world.links.rows_of_customers([b, c]) == {one, two}
    world.links.set_links({one: [], 12345: [Link(a, Rule.CONTACT)]})
    assert world.links.links([one, 12345]) == {}


def test_a_decision_is_kept_with_who_and_why(world: World) -> None:
    a = world.customer("A")
    world.take()
    decision = world.links.decide(blob(1), a, links=True, who="an", at=LATER, why="she called, it is hers")
    assert (decision.blob_id, decision.customer, decision.links, decision.who, decision.at, decision.why) == (
        blob(1), a, True, "an", LATER, "she called, it is hers",
    )  # fmt: skip
    assert world.links.decisions(blob(1)) == [decision]
    assert world.links.decisions(blob(2)) == []
    assert world.links.rows_of_customers([a]) == {world.catalogue.row(blob(1))}


def test_a_later_decision_undoes_the_one_before(world: World) -> None:
    a = world.customer("A")
    first = world.links.decide(blob(1), a, links=True, who="an", at=START, why="")
    second = world.links.decide(blob(1), a, links=False, who="bert", at=LATER, why="no")
    assert world.links.decisions(blob(1)) == [replace(first, undone_at=LATER, undone_by="bert"), second]


def test_an_undone_decision_stays_on_record(world: World) -> None:
    a = world.customer("A")
    world.take()
    assert world.links.undo(blob(1), a, who="an", at=START) is None
    decision = world.links.decide(blob(1), a, links=True, who="an", at=START, why="")
    undone = world.links.undo(blob(1), a, who="bert", at=LATER)
    assert undone == replace(decision, undone_at=LATER, undone_by="bert")
    assert world.links.decisions(blob(1)) == [undone]
    assert world.links.undo(blob(1), a, who="an", at=START) is None
    assert world.links.rows_of_customers([a]) == set()


def test_decisions_that_stand_are_told_by_message(world: World) -> None:
    a, b = world.customer("A"), world.customer("B")
    kept = world.links.decide(blob(1), a, links=True, who="an", at=START, why="")
    world.links.decide(blob(2), a, links=True, who="an", at=START, why="")
    both = [world.links.decide(blob(2), each, links=False, who="an", at=START, why="") for each in (a, b)]
    world.links.decide(blob(3), a, links=True, who="an", at=START, why="")
    world.links.undo(blob(3), a, who="an", at=START)
    assert world.links.standing() == {blob(1): [kept], blob(2): both}


def test_a_message_mended_by_a_better_copy_keeps_no_stale_links(world: World) -> None:
    a, b = world.customer("A"), world.customer("B")
    bad = message_of(blob(1), defects=(Defect("unreadable"),), vat_numbers=("BE1",))
    row = world.put(1, replace(bad, links=(Link(a, Rule.CONTACT),), codes=("c",)))
    world.links.decide(blob(1), b, links=True, who="an", at=START, why="")
    better = world.put(1, message_of(blob(1), at=LATER))
    assert world.links.links([row, better]) == {}
    assert world.links.rows_with_numbers(["BE1"], ["c"]) == set()
    assert [decision.customer for decision in world.evidence(better).decisions] == [b]


# --- summaries and totals --------------------------------------------------------------------------------------------


def test_a_summary_names_customers_and_candidates_apart(world: World) -> None:
    a, b, c = (world.customer(reference) for reference in "ABC")
    row = world.take(links=[Link(b, Rule.DOMAIN, SUGGESTED), Link(c, Rule.VAT), Link(a, Rule.CONTACT)])
    twice = world.take(links=[Link(b, Rule.DOMAIN, AMBIGUOUS), Link(a, Rule.DOMAIN, AMBIGUOUS)])
    assert (world.summary(row).customers, world.summary(row).candidates) == (("A", "C"), ("B",))
    assert (world.summary(twice).customers, world.summary(twice).candidates) == ((), ("A", "B"))
    details = world.catalogue.details(row)
    assert details is not None
    assert details.summary == world.summary(row)


def test_a_merged_customers_mail_is_its_winners(world: World) -> None:
    a, b, c = (world.customer(reference) for reference in "ABC")
    row = world.take(links=[Link(a, Rule.CONTACT), Link(b, Rule.DOMAIN, SUGGESTED)], message_id="m")
    answer = world.take(references=("m",))
    world.customers.merge(a, b, Customer("B", "b"), now=START)
    world.customers.merge(b, c, Customer("C2", "c"), now=START)
    assert (world.summary(row).customers, world.summary(row).candidates) == (("C2",), ())
    assert world.summary(answer).candidates == ("C2",)


def test_a_message_without_any_link_is_suggested_the_customers_of_its_thread(world: World) -> None:
    a, b, c = (world.customer(reference) for reference in "ABC")
    world.take(links=[Link(b, Rule.CONTACT), Link(c, Rule.DOMAIN, SUGGESTED)], message_id="m")
    world.take(links=[Link(a, Rule.CONTACT)], references=("m",))
    bare = world.take(references=("m",), direction=INTERNAL)
    ambiguous = world.take(references=("m",), links=[Link(c, Rule.DOMAIN, AMBIGUOUS)])
    alone = world.take()
    assert [world.summary(row).candidates for row in (bare, ambiguous, alone)] == [("A", "B"), ("C",), ()]
    assert [summary.customers for summary in world.catalogue.thread(bare)] == [("B",), ("A",), (), ()]
    assert world.correspondence.thread_customers([bare, ambiguous, alone, 99]) == {bare: [a, b]}


def test_a_thread_does_not_suggest_what_a_colleague_refused(world: World) -> None:
    a, b, c = (world.customer(reference) for reference in "ABC")
    world.take(links=[Link(a, Rule.CONTACT), Link(c, Rule.CONTACT)], message_id="m")
    row, other = world.take(references=("m",)), world.take(references=("m",))
    world.links.decide(blob(2), b, links=False, who="an", at=START, why="")
    world.links.decide(blob(2), c, links=False, who="an", at=START, why="")
    assert world.correspondence.thread_customers([row, other]) == {row: [a], other: [a, c]}
    world.customers.merge(b, a, Customer("A", "a"), now=START)
    assert world.correspondence.thread_customers([row, other]) == {other: [a, c]}
    world.links.undo(blob(2), c, who="an", at=START)
    assert world.correspondence.thread_customers([row]) == {row: [c]}
    assert world.summary(row).candidates == ("C",)


def test_unlinked_is_counted_without_internal_mail_and_mere_suggestions(world: World) -> None:
    a = world.customer("A")
    assert (world.catalogue.counts().unlinked, world.catalogue.counts().customers) == (0, 1)
    world.take(links=[Link(a, Rule.CONTACT)])
    world.take(links=[Link(a, Rule.DOMAIN, AMBIGUOUS)])
    world.take(direction=INTERNAL, from_=(ANNA,))
    unlinked = [
        world.take(links=[Link(a, Rule.DOMAIN, SUGGESTED)], from_=(ANNA,)),
        world.take(direction=OTHER, from_=(ANNA,)),
        world.take(direction=OUTGOING, to=(ANNA,)),
    ]
    assert world.catalogue.counts().unlinked == 3
    assert world.correspondence.unlinked_rows(["anna@anna.test"], limit=10) == unlinked[::-1]


# --- correspondence --------------------------------------------------------------------------------------------------


def test_entries_are_newest_first_and_within_bounds(world: World) -> None:
    a, b = world.customer("A"), world.customer("B")
    rows = [world.take(links=[Link(a, Rule.CONTACT), Link(b, Rule.DOMAIN, SUGGESTED)]) for _ in range(4)]
    entries = list(world.correspondence.entries(a))
    assert [entry.row for entry in entries] == rows[::-1]
    assert {entry.link for entry in entries} == {Link(a, Rule.CONTACT)}
    assert [e.row for e in world.correspondence.entries(a, low=rows[1], high=rows[3])] == [rows[2], rows[1]]
    assert world.correspondence.count(a, low=rows[1], high=rows[3]) == 2
    assert list(world.correspondence.entries(b)) == []
    assert [e.link for e in world.correspondence.entries(b, candidates=True)] == [Link(b, Rule.DOMAIN, SUGGESTED)] * 4
    assert (world.correspondence.count(b), world.correspondence.count(b, candidates=True)) == (0, 4)
    assert world.correspondence.span(a) == (rows[0], rows[3])
    assert world.correspondence.span(b) is None


def test_entries_go_on_beyond_the_first_page(world: World) -> None:
    a = world.customer("A")
    rows = [world.take(links=[Link(a, Rule.CONTACT)]) for _ in range(330)]
    assert [entry.row for entry in world.correspondence.entries(a)] == rows[::-1]


def test_entries_by_direction_person_and_thread(world: World) -> None:
    a = world.customer("A")
    link = [Link(a, Rule.CONTACT)]
    one = world.take(links=link, from_=(ANNA,), message_id="1")
    two = world.take(links=link, direction=OUTGOING, to=(ANNA,), delivered_to=(BERT,), references=("1",))
    three = world.take(links=link, from_=(US,), author=(BERT,))
    correspondence, threads = world.correspondence, {e.row: e.thread for e in world.correspondence.entries(a)}
    assert threads[one] == threads[two] != threads[three]

    def is_bert(address: EmailAddress) -> bool:
        return address == BERT

    assert [e.row for e in correspondence.entries(a, direction=OUTGOING)] == [two]
    assert [e.direction for e in correspondence.entries(a)] == [INCOMING, OUTGOING, INCOMING]
    assert [e.row for e in correspondence.entries(a, who=is_bert)] == [three]
    assert [e.row for e in correspondence.entries(a, threads=[threads[one], 9999])] == [two, one]
    assert [e.row for e in correspondence.entries(a, threads=[threads[one]], direction=INCOMING)] == [one]
    assert [e.row for e in correspondence.entries(a, threads=[threads[one], threads[three]], low=two)] == [three, two]
    assert list(correspondence.entries(a, threads=[])) == []
    assert correspondence.count(a, direction=INCOMING) == 2
    assert correspondence.count(a, who=is_bert) == 1
    assert correspondence.count(a, who=is_bert, direction=OUTGOING) == 0


def test_links_set_later_know_their_messages_direction(world: World) -> None:
    a = world.customer("A")
    row = world.take(direction=OUTGOING)
    world.links.set_links({row: [Link(a, Rule.HAND)]})
    assert world.correspondence.count(a, direction=OUTGOING) == 1
    assert world.correspondence.count(a, direction=INCOMING) == 0


def test_a_question_waits_until_we_answer(world: World) -> None:
    waiting = world.correspondence.unanswered
    one = world.take(message_id="1")
    two = world.take(message_id="2", references=("1",))
    assert [row for _, row in waiting()] == [one]
    world.take(direction=OUTGOING, references=("1",), automatic=True)
    world.take(direction=INTERNAL, references=("1",))
    world.take(direction=OTHER, references=("1",))
    assert [row for _, row in waiting()] == [one]
    world.take(direction=OUTGOING, references=("1",))
    assert list(waiting()) == []
    world.take(references=("1",), automatic=True)
    assert list(waiting()) == []
    again = world.take(references=("1",))
    latest = world.take(references=("1",))
    other = world.take(at=START - timedelta(days=30))
    assert [row for _, row in waiting()] == [other, again]
    assert len({thread for thread, _ in waiting()}) == 2
    assert [row for _, row in waiting(low=two)] == [again]
    assert [row for _, row in waiting(low=latest)] == [again]
    assert list(waiting(low=latest + 1)) == []


def test_what_waits_is_asked_for_by_customer(world: World) -> None:
    a, b = world.customer("A"), world.customer("B")
    of_a = world.take(links=[Link(a, Rule.CONTACT)])
    perhaps = world.take(links=[Link(a, Rule.CONTACT, AMBIGUOUS), Link(b, Rule.CONTACT, AMBIGUOUS)])
    world.take(links=[Link(a, Rule.DOMAIN, SUGGESTED)])
    world.take(links=[Link(a, Rule.CONTACT)], direction=OUTGOING)
    waiting = world.correspondence.unanswered
    assert [row for _, row in waiting(customer=a)] == [of_a]
    assert list(waiting(customer=b)) == []
    assert [row for _, row in waiting(linked=True)] == [of_a, perhaps]
    assert [row for _, row in waiting(linked=True, low=perhaps)] == [perhaps]


def test_unlinked_mail_is_counted_by_address_and_direction(world: World) -> None:
    loud = EmailAddress("ANNA (new)", "ANNA@anna.test")
    world.take(from_=(ANNA,), to=(US,), automatic=True)
    world.take(direction=OUTGOING, from_=(US,), to=(ANNA, loud), cc=(BERT,))
    newest = world.take(direction=OTHER, from_=(loud,), sender=(US,), delivered_to=(BERT,))
    counted = {each.address: each for each in world.correspondence.unlinked()}
    anna, bert, us = (counted[address.addr_spec] for address in (ANNA, BERT, US))
    assert (anna.incoming, anna.outgoing, anna.other, anna.automatic) == (1, 1, 1, 1)
    assert (anna.newest, anna.name) == (newest, "ANNA (new)")
    assert (bert.incoming, bert.outgoing, bert.other) == (0, 1, 0)
    assert (us.incoming, us.outgoing, us.other) == (1, 1, 0)
    assert next(each.address for each in world.correspondence.unlinked()) == ANNA.addr_spec


def test_an_address_has_the_newest_name_that_it_was_given(world: World) -> None:
    world.take(from_=(EmailAddress("Older", "anna@anna.test"),))
    world.take(from_=(EmailAddress("Anna Ames", "anna@anna.test"),))
    newest = world.take(direction=OUTGOING, to=(EmailAddress("", "anna@anna.test"),))
    (found,) = world.correspondence.unlinked()
    assert (found.name, found.newest, found.incoming, found.outgoing) == ("Anna Ames", newest, 2, 1)


def test_waiting_mail_of_a_customer_or_of_all_of_them(world: World) -> None:
    a, b = world.customer("A"), world.customer("B")
    mine = world.take(links=[Link(a, Rule.CONTACT)])
    unclear = world.take(links=[Link(a, Rule.CONTACT, AMBIGUOUS), Link(b, Rule.CONTACT, AMBIGUOUS)])
    world.take(links=[Link(b, Rule.VAT, SUGGESTED)])
    world.take()
    waiting = world.correspondence.unanswered
    assert [row for _, row in waiting(customer=a)] == [mine]
    assert [row for _, row in waiting(customer=b)] == []
    assert [row for _, row in waiting(linked=True)] == [mine, unclear]
    assert [row for _, row in waiting(linked=True, low=unclear)] == [unclear]
    assert [row for _, row in waiting(customer=a, low=unclear)] == []
    assert len(list(waiting())) == 4


def test_a_sender_speaks_where_there_is_no_from(world: World) -> None:
    row = world.take(sender=(ANNA,))
    world.take(sender=(ANNA,), from_=(BERT,))
    assert {each.address: each.incoming for each in world.correspondence.unlinked()} == {
        ANNA.addr_spec: 1, BERT.addr_spec: 1,
    }  # fmt: skip
    assert world.correspondence.unlinked_rows([ANNA.addr_spec], limit=9) == [row]


def test_a_group_counts_each_message_once(world: World) -> None:
    other = EmailAddress("", "other@anna.test")
    world.take(from_=(ANNA,), cc=(other, BERT))
    newest = world.take(from_=(other,))
    total, groups = world.correspondence.unlinked_groups(
        lambda address: None if address.startswith("bert") else address.rpartition("@")[2]
    )
    (group,) = groups
    assert total == 2
    assert (group.name, group.incoming, group.newest) == ("anna.test", 2, newest)
    assert [(each.address, each.incoming) for each in group.addresses] == [
        ("other@anna.test", 2),
        ("anna@anna.test", 1),
    ]


def test_unlinked_rows_are_limited_and_newest_first(world: World) -> None:
    rows = [world.take(from_=(EmailAddress("", "Anna@Anna.test"),)) for _ in range(4)]
    assert world.correspondence.unlinked_rows(["anna@anna.test", "x@y"], limit=2) == rows[:1:-1]
    assert world.correspondence.unlinked_rows(["x@y"], limit=2) == []
    assert world.correspondence.unlinked_rows([], limit=2) == []


def test_the_queue_of_ambiguous_messages(world: World) -> None:
    a, b = world.customer("A"), world.customer("B")
    both = [Link(a, Rule.CONTACT, AMBIGUOUS), Link(b, Rule.CONTACT, AMBIGUOUS)]
    rows = [world.take(links=both) for _ in range(3)]
    world.take(links=[Link(a, Rule.CONTACT)])
    assert world.correspondence.ambiguous(limit=2) == (3, rows[:0:-1])
    assert world.correspondence.ambiguous(limit=2, offset=2) == (3, rows[:1])


# --- the twin and the real one, on whatever mail ---------------------------------------------------------------------

_PEOPLE = st.lists(
    st.sampled_from([ANNA, BERT, US, EmailAddress("", "x+y@gmail.com"), EmailAddress("", "root")]), max_size=2
)
_RULES = st.tuples(st.sampled_from(list(Rule)), st.sampled_from(list(Standing)))
_LINKS = st.dictionaries(st.integers(1, 3), _RULES, max_size=2)
_MAIL = st.fixed_dictionaries(
    {
        "direction": st.sampled_from(list(Direction)),
        "links": _LINKS,
        "from_": _PEOPLE,
        "to": _PEOPLE,
        "forwarded": _PEOPLE,
        "delivered_to": _PEOPLE,
        "automatic": st.booleans(),
        "references": st.lists(st.sampled_from("abc"), max_size=1),
        "minute": st.integers(0, 20),
    }
)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(drawn=st.lists(_MAIL, min_size=1, max_size=12))
def test_the_twin_agrees_with_the_real_one(
    drawn: list[dict[str, object]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    opened = Archive(tmp_path_factory.mktemp("links") / "archive").create().catalogue()
    try:
        assert _answers(in_memory(), drawn) == _answers(on_disk(opened), drawn)
    finally:
        opened.close()


def _answers(world: World, drawn: list[dict[str, object]]) -> list[object]:
    for reference in "ABC":
        world.customer(reference)
    for mail in drawn:
        fields = {name: tuple(value) if isinstance(value, list) else value for name, value in mail.items()}
        minute, links = fields.pop("minute"), fields.pop("links")
        assert isinstance(minute, int)
        assert isinstance(links, dict)
        fields["links"] = [Link(customer, *found) for customer, found in links.items()]
        world.take(at=START + timedelta(minutes=minute), **fields)  # type: ignore[arg-type]
    world.customers.merge(2, 3, Customer("C", "merged"), now=LATER)
    rows = [row for row, _ in world.links.evidence()]
    reading = world.correspondence
    unlinked = [replace(each, name="") for each in reading.unlinked()]
    customers = (1, 2, 3)
    return [
        list(world.links.evidence()),
        [(each.customers, each.candidates) for each in world.catalogue.summaries(rows)],
        [[(e.row, e.direction, e.link) for e in reading.entries(c)] for c in customers],
        [[(e.row, e.direction, e.link) for e in reading.entries(c, candidates=True)] for c in customers],
        [reading.count(c, direction=OUTGOING) for c in customers],
        [row for _, row in reading.unanswered()],
        [row for _, row in reading.unanswered(linked=True)],
        [[row for _, row in reading.unanswered(customer=c)] for c in customers],
        unlinked,
        reading.ambiguous(limit=100),
        reading.thread_customers(rows),
        world.links.rows_with_addresses(["x@gmail.com"], ["anna.test"]),
        world.links.links(rows),
        (world.catalogue.counts().unlinked, world.catalogue.counts().customers),
    ]


def test_instants_are_kept_to_the_second_in_utc(world: World) -> None:
    now = datetime(2025, 3, 1, 10, 0, 0, 999_999, tzinfo=timezone(timedelta(hours=1)))
    number = world.customers.add(Customer("A", "a"), now=now)
    record = world.customers.get(number)
    assert record is not None
    assert record.created == datetime(2025, 3, 1, 9, 0, tzinfo=UTC)
    assert world.links.decide(blob(1), number, links=True, who="an", at=now, why="").at == record.created
