"""Relinking: a change of customers touches what it must and leaves what it can, and late equals early."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from archiver.core.customers.editing import EditRules, complete_earlier, directory_of, relink_when_stale
from archiver.core.linking.relinking import LINKED_AS, Tally, relink_all
from archiver.core.progress import Progress
from archiver.errors import UsageError
from archiver.model.customer import Contact, Customer
from archiver.model.identity import Identity
from archiver.model.link import Link, LinkChanges, Rule, Standing
from tests.twins.linked_archive import OURS, LinkedArchive, customer, letter, linked_archive


@pytest.fixture
def world(tmp_path: Path) -> Iterator[LinkedArchive]:
    with linked_archive(tmp_path / "archive") as opened:
        yield opened


def test_a_new_message_is_linked_as_it_is_taken_in(world: LinkedArchive) -> None:
    world.editing().add(customer("K1", "jan@acme.example"))
    report = world.deliver(letter("jan@acme.example", number=1), letter("else@other.example", number=2))
    first, second = world.rows()
    assert world.linked(first) == {"K1"}
    assert world.linked(second) == set()
    assert (report.linked, report.ambiguous, report.unlinked) == (1, 0, 1)


def test_without_customers_nothing_is_counted_as_unlinked(world: LinkedArchive) -> None:
    report = world.deliver(letter("jan@acme.example"))
    assert (report.messages, report.linked, report.ambiguous, report.unlinked) == (1, 0, 0, 0)


def test_a_message_that_fits_two_customers_is_counted_as_ambiguous_and_not_as_unlinked(world: LinkedArchive) -> None:
    world.editing().add(customer("K1", "jan@acme.example"))
    world.editing().add(customer("K2", "jan@acme.example"))
    report = world.deliver(letter("jan@acme.example"))
    assert (report.linked, report.ambiguous, report.unlinked) == (0, 1, 0)


def test_a_customer_that_comes_late_gets_the_mail_that_was_there_and_says_how_much(world: LinkedArchive) -> None:
    world.deliver(letter("jan@acme.example", number=1), letter("x@other.example", number=2))
    change = world.editing().add(customer("K1", "jan@acme.example"))
    assert change.links == LinkChanges(1, gained=((change.record.id, 1),))
    assert change.references == {change.record.id: "K1"}
    assert change.before is None
    assert change.after == change.record.customer
    assert not world.wrong()


def test_a_licence_number_is_found_in_mail_that_came_before_anybody_had_it(world: LinkedArchive) -> None:
    world.deliver(
        letter("x@other.example", text="Our licence is ABCD-1234-EFGH, please help.", number=1),
        letter("x@other.example", text="Nothing of the kind.", number=2),
    )
    change = world.editing().add(customer("K1", licences=("ABCD-1234-EFGH",)))
    assert change.links == LinkChanges(1, gained=((change.record.id, 1),))
    assert world.linked(world.rows()[0]) == {"K1"}


def test_a_number_is_looked_for_again_when_mail_came_while_nobody_had_it(world: LinkedArchive) -> None:
    held = customer("K1", licences=("ABCD-1234-EFGH",))
    record = world.editing().add(held).record
    world.editing().edit(record, replace(held, licences=()))
    world.deliver(letter("x@other.example", text="Our licence is ABCD-1234-EFGH."))
    world.editing().edit(record, held)
    assert world.linked(world.rows()[0]) == {"K1"}


def test_a_shorter_number_counts_again_when_nobody_has_the_longer_one_any_more(world: LinkedArchive) -> None:
    world.deliver(letter("x@other.example", text="Our licence is ABCD-1234-EFGH."))
    world.editing().add(customer("K1", licences=("ABCD-1234",)))
    longer = world.editing().add(customer("K2", licences=("ABCD-1234-EFGH",))).record
    assert world.linked(world.rows()[0]) == {"K2"}
    world.editing().remove(longer)
    assert world.linked(world.rows()[0]) == {"K1"}


def test_a_number_in_a_forwarded_attachment_is_found_late_too(world: LinkedArchive) -> None:
    inner = letter("p@acme.example", text="The licence is ABCD-1234-EFGH.", number=9)
    early = customer("K1", licences=("ABCD-1234-EFGH",))
    world.deliver(letter("me@ours.test", subject="Fwd: A question", text="See below.", attached=inner, number=1))
    world.editing().add(early)
    assert world.linked(world.rows()[0]) == {"K1"}


def test_a_domain_links_the_addresses_below_it_that_came_before(world: LinkedArchive) -> None:
    world.deliver(letter("a@acme.example", number=1), letter("a@shop.acme.example", number=2))
    change = world.editing().add(customer("K1", domains=("acme.example",)))
    assert change.links.gained == ((change.record.id, 2),)


def test_an_edit_that_touches_no_identifier_relinks_nothing(world: LinkedArchive) -> None:
    world.deliver(letter("jan@acme.example"))
    record = world.editing().add(customer("K1", "jan@acme.example")).record
    change = world.editing().edit(record, replace(record.customer, name="Another Name", notes="rings on Fridays"))
    assert change.links == LinkChanges()
    assert change.after is not None
    assert change.after.notes == "rings on Fridays"


def test_taking_an_address_away_loses_its_links_and_no_others(world: LinkedArchive) -> None:
    world.deliver(letter("jan@acme.example", number=1), letter("piet@acme.example", number=2))
    record = world.editing().add(customer("K1", "jan@acme.example", "piet@acme.example")).record
    change = world.editing().edit(record, customer("K1", "piet@acme.example"))
    assert change.links == LinkChanges(1, lost=((record.id, 1),))
    first, second = world.rows()
    assert (world.linked(first), world.linked(second)) == (set(), {"K1"})


def test_a_vat_number_that_alone_changes_takes_its_links_along(world: LinkedArchive) -> None:
    world.deliver(letter("x@other.example", text="VAT BE 0428.759.497"), letter("y@other.example", number=1))
    record = world.editing().add(customer("K1")).record
    assert not world.found()[world.rows()[0]]
    change = world.editing().edit(record, replace(record.customer, vat="BE0428759497"))
    assert change.links == LinkChanges(1, gained=((record.id, 1),))
    change = world.editing().edit(change.record, replace(record.customer, vat=None))
    assert change.links == LinkChanges(1, lost=((record.id, 1),))
    assert world.wrong() == []


def test_a_second_customer_with_the_same_address_turns_a_link_into_two_candidates(world: LinkedArchive) -> None:
    world.deliver(letter("jan@acme.example"))
    first = world.editing().add(customer("K1", "jan@acme.example")).record
    change = world.editing().add(customer("K2", "jan@acme.example"))
    assert change.links == LinkChanges(
        1, lost=((first.id, 1),), candidates_gained=((first.id, 1), (change.record.id, 1))
    )
    assert change.references == {first.id: "K1", change.record.id: "K2"}


def test_removing_a_customer_tells_what_it_lost_and_leaves_the_mail(world: LinkedArchive) -> None:
    world.deliver(letter("jan@acme.example"))
    record = world.editing().add(customer("K1", "jan@acme.example")).record
    change = world.editing().remove(record)
    assert change.links == LinkChanges(1, lost=((record.id, 1),))
    assert change.references == {record.id: "K1"}
    assert change.after is None
    assert world.customers.all() == []
    assert len(world.rows()) == 1
    assert world.found()[world.rows()[0]] == frozenset()


def test_when_the_identity_changes_everything_is_linked_anew_once(world: LinkedArchive) -> None:
    world.deliver(letter("jan@acme.example"))
    world.editing().add(customer("K1", "jan@acme.example"))
    assert relink_when_stale(world.editing_ports, world.rules) == LinkChanges()
    ours_now = EditRules(Identity(("ours.test", "acme.example")), "BE")
    changes = relink_when_stale(world.editing_ports, ours_now)
    assert changes.lost
    assert world.found()[world.rows()[0]] == frozenset()
    assert relink_when_stale(world.editing_ports, ours_now) == LinkChanges()


def test_when_the_rules_changed_numbers_are_looked_for_anew_too(world: LinkedArchive) -> None:
    world.deliver(letter("x@other.example", text="Licence ABCD-1234-EFGH"))
    world.editing().add(customer("K1", licences=("ABCD-1234-EFGH",)))
    (row,) = world.rows()
    world.links.set_codes({row: ()})  # as rules that did not recognise it would have left it
    world.ports.catalogue.set_meta(LINKED_AS, b"other rules")  # type: ignore[attr-defined]
    relink_when_stale(world.editing_ports, world.rules)
    assert world.linked(row) == {"K1"}


def test_shared_domains_of_the_configuration_unlink_by_domain(world: LinkedArchive) -> None:
    world.deliver(letter("a@provider.example"))
    world.editing().add(customer("K1", domains=("provider.example",)))
    assert world.linked(world.rows()[0]) == {"K1"}
    relink_when_stale(world.editing_ports, replace(world.rules, shared_domains=("provider.example",)))
    assert world.linked(world.rows()[0]) == set()


def test_relinking_everything_mends_links_that_were_spoilt(world: LinkedArchive) -> None:
    world.deliver(letter("jan@acme.example"))
    record = world.editing().add(customer("K1", "jan@acme.example")).record
    world.links.set_links({world.rows()[0]: [Link(record.id, Rule.FORWARD, Standing.SUGGESTED)]})
    assert world.wrong()
    seen: list[Progress] = []
    changes = world.editing().relink(seen.append)
    assert changes == LinkChanges(1, gained=((record.id, 1),), candidates_lost=((record.id, 1),))
    assert [(progress.done, progress.total) for progress in seen] == [(1, 1)]
    assert not world.wrong()


def test_the_fingerprint_of_what_linked_is_remembered_with_the_links(world: LinkedArchive) -> None:
    world.editing().add(customer("K1", "jan@acme.example"))
    assert world.ports.catalogue.meta(LINKED_AS) is not None  # type: ignore[attr-defined]


def _forget_evidence(world: LinkedArchive) -> None:
    """Make the messages look as an earlier release left them."""
    connection = world.ports.catalogue.connection  # type: ignore[attr-defined]
    with connection.transaction():
        connection.execute("UPDATE messages SET flags = 0")
        connection.execute("DELETE FROM mentions")
        connection.execute("DELETE FROM links")


def test_messages_of_an_earlier_release_are_completed_and_linked(world: LinkedArchive) -> None:
    world.deliver(letter("x@other.example", text="Licence ABCD-1234-EFGH please.", number=1))
    world.editing().add(customer("K1", licences=("ABCD-1234-EFGH",)))
    _forget_evidence(world)
    assert complete_earlier(world.editing_ports, world.rules) == 1
    assert world.linked(world.rows()[0]) == {"K1"}
    assert complete_earlier(world.editing_ports, world.rules) == 0


def test_a_dry_run_completes_no_message_of_an_earlier_release(world: LinkedArchive) -> None:
    world.deliver(letter("x@other.example", text="Licence ABCD-1234-EFGH please.", number=1))
    world.editing().add(customer("K1", licences=("ABCD-1234-EFGH",)))
    _forget_evidence(world)
    world.editing(dry_run=True).relink()
    assert world.links.unexamined(9) == world.rows()
    assert world.found()[world.rows()[0]] == frozenset()


def test_completing_goes_on_where_it_was_stopped(world: LinkedArchive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archiver.core.linking.relinking._EXAMINED", 2)
    world.deliver(*(letter("jan@acme.example", number=number) for number in range(5)))
    world.editing().add(customer("K1", "jan@acme.example"))
    _forget_evidence(world)

    def stop(_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        complete_earlier(world.editing_ports, world.rules, on_progress=stop)
    assert sum(bool(links) for links in world.found().values()) == 2
    assert complete_earlier(world.editing_ports, world.rules) == 3
    assert all(world.linked(row) == {"K1"} for row in world.rows())


def test_what_cannot_be_opened_is_left_for_another_time_and_holds_nothing_up(world: LinkedArchive) -> None:
    world.deliver(letter("jan@acme.example", number=1))
    world.deliver(letter("jan@acme.example", number=2))
    world.editing().add(customer("K1", "jan@acme.example"))
    _forget_evidence(world)
    first, second = world.rows()
    sealed = world.ports.catalogue.sealed(first)
    assert sealed is not None
    pack = world.archive.paths.packs / sealed[0][:2] / f"{sealed[0]}.pack"
    octets = pack.read_bytes()
    pack.chmod(0o600)
    pack.write_bytes(octets[:-40] + bytes(40))
    assert complete_earlier(world.editing_ports, world.rules) == 1
    assert world.linked(second) == {"K1"}
    pack.write_bytes(octets)
    assert complete_earlier(world.editing_ports, world.rules) == 1
    assert world.linked(first) == {"K1"}


def test_a_link_that_only_has_another_rule_is_neither_gained_nor_lost() -> None:
    tally = Tally()
    tally.note([Link(1, Rule.DOMAIN)], [Link(1, Rule.CONTACT)])
    tally.note([Link(1, Rule.DOMAIN, Standing.AMBIGUOUS)], [Link(1, Rule.CONTACT, Standing.SUGGESTED)])
    assert tally.changes() == LinkChanges()


# --- the invariant: stored links are what all rules make of the stored evidence, whatever changed ---------------------

ADDRESSES = ("jan@acme.example", "piet@acme.example", "an@shop.acme.example", "bo@other.example", "cy@third.example")
DOMAINS = ("acme.example", "shop.acme.example", "other.example")
LICENCES = ("ABCD-1234", "WXYZ-5678-QRST", "123456789012")
VAT_NUMBERS = ("BE0428759497", "BE0403170701")
REFERENCES = ("K101", "K102", "K103")
TEXTS = (
    "Hello.",
    "Ref K101",
    "Ref K102",
    *(f"It is {code}." for code in LICENCES),
    *(f"BTW {vat}." for vat in VAT_NUMBERS),
)


@st.composite
def letters(draw: st.DrawFn) -> bytes:
    outsider = draw(st.sampled_from(ADDRESSES))
    cc = draw(st.sampled_from(("", *ADDRESSES)))
    out = draw(st.booleans())
    return letter(
        OURS if out else outsider,
        to=outsider if out else OURS,
        cc=cc,
        subject=draw(st.sampled_from(("Hello", "Fwd: Hello", "Licence WXYZ-5678-QRST"))),
        text=draw(st.sampled_from(TEXTS)),
    )


@st.composite
def customers(draw: st.DrawFn, reference: str | None = None) -> Customer:
    return Customer(
        reference=reference or draw(st.sampled_from(REFERENCES)),
        name=draw(st.sampled_from(("Acme", "Other"))),
        vat=draw(st.sampled_from((None, *VAT_NUMBERS))),
        domains=tuple(draw(st.lists(st.sampled_from(DOMAINS), max_size=2, unique=True))),
        licences=tuple(draw(st.lists(st.sampled_from(LICENCES), max_size=2, unique=True))),
        contacts=tuple(
            Contact(f"Contact {number}", (address,))
            for number, address in enumerate(draw(st.lists(st.sampled_from(ADDRESSES), max_size=2, unique=True)))
        ),
    )


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("deliver"), letters()),
        st.tuples(st.just("put"), customers()),
        st.tuples(st.just("remove"), st.sampled_from(REFERENCES)),
        st.tuples(st.just("merge"), st.sampled_from(REFERENCES), st.sampled_from(REFERENCES)),
        st.tuples(st.just("unmerge"), st.sampled_from(REFERENCES)),
        st.tuples(st.just("import"), st.lists(customers(), max_size=3, unique_by=lambda each: each.reference)),
        st.tuples(st.sampled_from(("link", "unlink", "undo")), st.integers(0, 9), st.sampled_from(REFERENCES)),
    ),
    min_size=1,
    max_size=14,
)


def _apply(world: LinkedArchive, step: tuple[object, ...], number: int) -> None:
    """Do one step; what the rules of editing refuse changes nothing."""
    editing = world.editing()
    match step:
        case ("deliver", bytes() as octets):
            world.deliver(octets.replace(b"<0@", b"<%d@" % number))
        case ("put", Customer() as new):
            known = world.customers.by_reference(new.reference)
            if known is None:
                editing.add(new)
            else:
                editing.edit(known, new)
        case ("remove", str() as reference):
            editing.remove(world.record(reference))
        case ("merge", str() as loser, str() as winner):
            editing.merge(world.record(loser), world.record(winner))
        case ("unmerge", str() as reference):
            editing.unmerge(reference)
        case ("import", list() as given_):
            editing.import_(given_)
        case (str() as verb, int() as place, str() as reference):
            rows = world.rows()
            row = rows[place % len(rows)] if rows else 0
            if verb == "undo":
                editing.undo(row, world.record(reference))
            else:
                getattr(editing, verb)(row, world.record(reference), why="so it is")


def _run(world: LinkedArchive, steps: list[tuple[object, ...]]) -> None:
    for number, step in enumerate(steps):
        refused = step[0] not in {"deliver", "put", "import"} and any(
            isinstance(word, str) and world.customers.by_reference(word) is None for word in step[1:]
        )
        if refused:
            continue
        before = (world.customers.all(), world.found())
        try:
            _apply(world, step, number)
        except UsageError:
            assert (world.customers.all(), world.found()) == before
        assert not world.wrong(), f"after {step[0]}"


@settings(max_examples=50, deadline=None)
@given(STEPS)
def test_after_any_changes_the_links_are_those_that_linking_everything_anew_gives(
    steps: list[tuple[object, ...]],
) -> None:
    with tempfile.TemporaryDirectory() as directory, linked_archive(Path(directory) / "archive") as world:
        _run(world, steps)
        directory_now = directory_of(world.customers.all(), world.rules)
        assert relink_all(world.editing_ports.relinking, directory_now) == LinkChanges()


@settings(max_examples=12, deadline=None)
@given(
    st.lists(letters(), min_size=1, max_size=8),
    st.lists(customers(), min_size=1, max_size=3, unique_by=lambda each: each.reference),
    st.data(),
)
def test_customers_and_mail_give_the_same_links_in_whatever_order_they_come(
    mail: list[bytes], records: list[Customer], data: st.DataObject
) -> None:
    numbered = [octets.replace(b"<0@", b"<%d@" % number) for number, octets in enumerate(mail)]
    steps: list[object] = [*numbered, *records]
    outcomes = []
    for order in (steps, [*records, *numbered], data.draw(st.permutations(steps))):
        with tempfile.TemporaryDirectory() as directory, linked_archive(Path(directory) / "archive") as world:
            for step in order:
                if isinstance(step, bytes):
                    world.deliver(step)
                else:
                    assert isinstance(step, Customer)
                    world.editing().add(step)
            outcomes.append(world.by_octets())
    with tempfile.TemporaryDirectory() as directory, linked_archive(Path(directory) / "archive") as world:
        world.deliver(*numbered)
        world.editing().import_(list(reversed(records)))
        outcomes.append(world.by_octets())
    assert all(outcome == outcomes[0] for outcome in outcomes)


@settings(max_examples=20, deadline=None)
@given(
    st.lists(letters(), min_size=1, max_size=8),
    customers("K101"),
    customers("K102"),
    customers("K103"),
)
def test_a_merge_that_is_undone_leaves_every_link_and_record_as_it_was(
    mail: list[bytes], first: Customer, second: Customer, third: Customer
) -> None:
    with tempfile.TemporaryDirectory() as directory, linked_archive(Path(directory) / "archive") as world:
        for new in (first, second, third):
            world.editing().add(new)
        world.deliver(*(octets.replace(b"<0@", b"<%d@" % number) for number, octets in enumerate(mail)))
        world.editing().link(world.rows()[0], world.record("K102"), why="said so")
        before = ([record.customer for record in world.customers.all()], world.found())
        world.editing().merge(world.record("K102"), world.record("K101"))
        assert "K101" in world.linked(world.rows()[0])
        assert not any("K102" in {link[0] for link in links} for links in world.found().values())
        world.editing().unmerge("K102")
        assert ([record.customer for record in world.customers.all()], world.found()) == before
